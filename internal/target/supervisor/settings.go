package supervisor

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/target/health"
)

// Accelerators that can be asked for.
const (
	AcceleratorAuto = "Auto" // KVM where it is usable and the guest comes up under it, TCG otherwise
	AcceleratorTCG  = "TCG"
	AcceleratorKVM  = "KVM"
)

// DefaultEchoInterval is the time between two echo requests.
const DefaultEchoInterval = 200 * time.Millisecond

// Bounds that are no matter of taste.
const (
	quickInterval   = 20 * time.Millisecond  // between echoes while an answer is expected any moment
	diagnosisBudget = 80 * time.Millisecond  // of everything that is asked before a step
	commandTimeout  = 3 * time.Second        // of stop, cont and reset
	saveTimeout     = 20 * time.Second       // of taking the snapshot
	launchTimeout   = 40 * time.Second       // of ending QEMU and starting it again
	proofBase       = 2 * time.Second        // of the proof, plus one echo time-out
	restoreBase     = time.Second            // least budget of a restore, from command to answer
	probeTimeout    = 2 * time.Second        // of one try to connect to the guest's port
	probePause      = 100 * time.Millisecond // between two tries
	settleTime      = 200 * time.Millisecond // without connections before the snapshot
	settleTries     = 5
	firmwareTime    = time.Second      // after a reset, in which firmware may reset the machine again
	relapseWindow   = 10 * time.Second // a guest that fails again within this time has had a relapse
	relapseEchoes   = 5                // or within so many echo time-outs
)

// Settings say how a guest is watched and what may be done about it.
type Settings struct {
	Health       health.Settings
	EchoInterval time.Duration // default DefaultEchoInterval
	Steps        []Step        // steps that may be used; without StepRestore no snapshot is taken
	Accelerator  string        // one of the Accelerator constants
	KVMUsable    bool          // a virtual machine has run under KVM; asked for by Auto only
	// ReadyLogPattern, for messages: the guest is up only when Config.ReadyLine has reported a line.
	ReadyLogPattern string
	// ReadyPort of the guest has to accept one connection before the guest is up; 0: none.
	ReadyPort uint16
}

func (s Settings) withDefaults() Settings {
	s.Health = s.Health.WithDefaults()
	if s.EchoInterval <= 0 {
		s.EchoInterval = DefaultEchoInterval
	}
	return s
}

func (s Settings) allows(step Step) bool {
	for _, allowed := range s.Steps {
		if allowed == step {
			return true
		}
	}
	return false
}

func (s Settings) restoreBudget() time.Duration { return max(restoreBase, 2*s.Health.EchoTimeout) }

func (s Settings) proofBudget() time.Duration { return proofBase + s.Health.EchoTimeout }

func (s Settings) relapseWindow() time.Duration {
	return max(relapseWindow, relapseEchoes*s.Health.EchoTimeout)
}
