// Package agentapi is the API between the manager and the agent in a target pod: HTTP/1.1 with JSON
// over TLS, a bearer token, and a certificate that the manager itself made and pins.
//
//	GET  /v1/state              the newest State
//	GET  /v1/watch              a stream of States, a JSON object a line: one at once, one for each
//	                            change, and one at least every WatchHeartbeat
//	POST /v1/stop|cont|reset|restore|relaunch   for tests and demos; 204, or an Error
//	GET  /v1/console?lines=N    the newest N lines of the serial log (default 100), text/plain
//	GET  /v1/log?lines=N&follow=1&previous=1&after=SEQ   lines of the serial log with numbers, times,
//	                            labels and levels; a LogLine a line
//	POST /v1/log?label=L        adds the lines of the body to the serial log; 204
//	GET  /v1/consoles           the serial lines and who is attached to them
//	GET  /v1/attach?label=L&line=0&access=read|write|steal&backlog=N   a serial line as a WebSocket
//	GET  /v1/diagnosis          the newest Diagnosis with everything in it; 404 while there is none
//	GET  /v1/binaries/{name}    a task binary that came with the target; 404 when there is none
//	GET  /metrics               Prometheus
package agentapi

import "time"

// WatchHeartbeat is the longest time between two States of a watch.
const WatchHeartbeat = 2 * time.Second

// Verdicts of the health chain. A State holds exactly one of them.
const (
	VerdictUnknown      = "Unknown"      // nothing can be said, for example while QEMU is being started
	VerdictBooting      = "Booting"      // running, and has not answered yet since its last start
	VerdictAlive        = "Alive"        // answers
	VerdictBootOverdue  = "BootOverdue"  // has not answered within the boot time-out
	VerdictSilentToPing = "SilentToPing" // answered once, answers no longer
	VerdictPaused       = "Paused"       // stopped on purpose, through this API or by the agent itself
	VerdictStopped      = "Stopped"      // QEMU stopped the guest by itself: panic, I/O error, internal error
	VerdictQEMUExited   = "QEMUExited"   // no process
	VerdictRebootLoop   = "RebootLoop"   // the guest resets itself again and again
)

// Snapshot states.
const (
	SnapshotNotTaken    = "NotYetTaken"
	SnapshotProving     = "Proving"
	SnapshotUsable      = "Usable"
	SnapshotProofFailed = "ProofFailed"
	SnapshotSwitchedOff = "SwitchedOff"
)

// State is everything that the manager needs to know of a target at one moment.
type State struct {
	// Time on the agent's clock when this State was true.
	Time time.Time `json:"time"`
	// Verdict is one of the Verdict constants, VerdictSince when it became true, Message a sentence with
	// the numbers in it.
	Verdict      string    `json:"verdict"`
	VerdictSince time.Time `json:"verdictSince"`
	Message      string    `json:"message,omitempty"`
	// Ready is true while sessions may be opened: alive, its port serves, and no snapshot or recovery is
	// under way.
	Ready bool `json:"ready"`
	// NeedsReplacement is true when every step in the pod has failed.
	NeedsReplacement bool `json:"needsReplacement,omitempty"`
	// RunState is QEMU's own word: running, paused, guest-panicked, ...
	RunState string `json:"runState,omitempty"`
	// LastEcho is when the newest echo reply arrived; RoundTripMicroseconds is its round trip.
	LastEcho              time.Time `json:"lastEcho,omitzero"`
	RoundTripMicroseconds int64     `json:"roundTripMicroseconds,omitempty"`
	// Accelerator that the guest runs under: TCG or KVM.
	Accelerator string `json:"accelerator,omitempty"`
	// Boots counts the starts of the guest from nothing in this pod. Incarnation counts every break in
	// its memory (boot, reset, restore): connections from before are dead and uploads are forgotten.
	Boots       int64 `json:"boots"`
	Incarnation int64 `json:"incarnation"`
	// OpenConnections is the number of connections that are forwarded to the guest right now.
	OpenConnections int `json:"openConnections"`

	Snapshot      SnapshotState  `json:"snapshot"`
	Recoveries    RecoveryCounts `json:"recoveries"`
	LastRecovery  *Recovery      `json:"lastRecovery,omitempty"`
	LastDiagnosis *Diagnosis     `json:"lastDiagnosis,omitempty"` // shortened: see Diagnosis.Short
}

// SnapshotState says whether the guest can be restored.
type SnapshotState struct {
	State               string `json:"state"`
	Message             string `json:"message,omitempty"`
	SaveMilliseconds    int64  `json:"saveMilliseconds,omitempty"`
	RestoreMilliseconds int64  `json:"restoreMilliseconds,omitempty"` // of the proof, command to answered echo
	SizeBytes           int64  `json:"sizeBytes,omitempty"`
}

// RecoveryCounts counts recoveries that the agent did itself, since it started.
type RecoveryCounts struct {
	Restore  int64 `json:"restore"`
	Reset    int64 `json:"reset"`
	Relaunch int64 `json:"relaunch"`
}

// Recovery is one recovery: the verdict, the step that was tried last, and how long it took.
type Recovery struct {
	Step    string    `json:"step"` // Restore, Reset or Relaunch
	Verdict string    `json:"verdict"`
	Time    time.Time `json:"time"` // of the verdict
	// SilentMilliseconds is the time from the last sign of life to the verdict.
	SilentMilliseconds int64 `json:"silentMilliseconds"`
	// Done is true once the guest has answered again, OutageMilliseconds after the verdict.
	Done               bool  `json:"done"`
	OutageMilliseconds int64 `json:"outageMilliseconds,omitempty"`
}

// Diagnosis is what a guest looked like right before a recovery step.
type Diagnosis struct {
	Time      time.Time `json:"time"`
	Verdict   string    `json:"verdict"`
	Message   string    `json:"message,omitempty"`
	Step      string    `json:"step,omitempty"` // the step that followed
	RunState  string    `json:"runState,omitempty"`
	Registers string    `json:"registers,omitempty"` // HMP "info registers"
	Console   []string  `json:"console,omitempty"`   // newest lines of the serial log, oldest first
	Echoes    []Echo    `json:"echoes,omitempty"`    // newest echoes, oldest first
	Errors    []string  `json:"errors,omitempty"`    // what could not be found out, and why
}

// Echo is one echo request; RoundTripMicroseconds is 0 while it is unanswered.
type Echo struct {
	Sent                  time.Time `json:"sent"`
	RoundTripMicroseconds int64     `json:"roundTripMicroseconds,omitempty"`
}

// Error is the body of every answer that is not 2xx.
type Error struct {
	Message string `json:"message"`
}
