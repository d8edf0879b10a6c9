package health

import "time"

// Process is what is known of the QEMU process.
type Process int

// States of the QEMU process.
const (
	ProcessNone    Process = iota // not started yet, or being replaced
	ProcessRunning                // the process exists
	ProcessExited                 // it was started and has ended
)

// Defaults of Settings.
const (
	DefaultEchoTimeout = 900 * time.Millisecond
	DefaultBootTimeout = time.Minute
	DefaultRebootLimit = 3
)

// Settings are the limits that a guest is judged by; zero fields have the defaults above.
type Settings struct {
	EchoTimeout time.Duration // silence after which a guest counts as frozen
	BootTimeout time.Duration // from start or reset until the guest is up
	RebootLimit int           // resets by the guest itself within BootTimeout that are still no loop
}

// WithDefaults fills in what is zero.
func (s Settings) WithDefaults() Settings {
	if s.EchoTimeout <= 0 {
		s.EchoTimeout = DefaultEchoTimeout
	}
	if s.BootTimeout <= 0 {
		s.BootTimeout = DefaultBootTimeout
	}
	if s.RebootLimit <= 0 {
		s.RebootLimit = DefaultRebootLimit
	}
	return s
}

// Observation is what was seen of a guest. Zero times mean "never".
type Observation struct {
	Now time.Time

	Process     Process
	ExitMessage string // how the process ended

	RunState        string // QEMU's own word, for example "running"; empty: not known
	PausedOnPurpose bool   // we stopped the guest
	PausedSince     time.Time

	Started   time.Time // newest start from nothing: launch or reset
	Resumed   time.Time // newest end of a pause or restore
	Up        bool      // the guest has come up since Started
	Missing   string    // while it is not up: what it is waited for, for people
	LastReply time.Time // newest echo reply since Started

	GuestResets []time.Time // resets that the guest did by itself, since somebody last did something about them

	// CPUWait is the time for which the machine kept QEMU off the CPU, and Late the time by which the
	// watcher was late, both since the newest of Started, Resumed and LastReply.
	CPUWait time.Duration
	Late    time.Duration
}

// Verdict is what a guest is judged to be.
type Verdict struct {
	Name    string    // a Verdict constant of package agentapi
	Message string    // a sentence, with the numbers in it; empty when all is well
	Since   time.Time // of the evidence, for example of the last sign of life; zero when there is none
	Next    time.Time // when the verdict could change without new input; zero: never
}
