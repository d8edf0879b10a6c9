package supervisor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// Step is a rung of the recovery ladder inside the pod.
type Step string

// The Steps, cheapest first.
const (
	StepRestore  Step = "Restore"  // load the snapshot of the guest's first readiness
	StepReset    Step = "Reset"    // reset the machine
	StepRelaunch Step = "Relaunch" // end QEMU and start it again
)

var rungs = [...]Step{StepRestore, StepReset, StepRelaunch}

// ParseSteps reads names of steps; unknown ones are an error. An empty list allows none.
func ParseSteps(names []string) ([]Step, error) {
	var steps []Step
	for _, name := range names {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !slices.Contains(rungs[:], Step(name)) {
			return nil, fmt.Errorf("step %q is unknown: use Restore, Reset and Relaunch", name)
		}
		steps = append(steps, Step(name))
	}
	return steps, nil
}

// relapseLimit is how often a guest may fail again soon after the same step before that step is skipped.
const relapseLimit = 3

// tally counts something for each rung.
type tally [len(rungs)]int

func (t tally) of(s Step) int { return t[slices.Index(rungs[:], s)] }

func (t tally) plus(s Step) tally {
	t[slices.Index(rungs[:], s)]++
	return t
}

// ladder is what the choice of the next step depends on.
type ladder struct {
	allowed  []Step
	tried    []Step // in this recovery
	relapses tally  // how often the guest failed again soon after each step
	verdict  string

	snapshotUsable bool
	mute           bool // QEMU does not answer commands
	gone           bool // there is no QEMU process
}

// next returns the step to try next, and false when none is left. It never climbs down.
func (l ladder) next() (Step, bool) {
	first := 0
	for i, s := range rungs {
		if slices.Contains(l.tried, s) {
			first = i + 1
		}
	}
	for _, s := range rungs[first:] {
		if slices.Contains(l.allowed, s) && l.relapses.of(s) < relapseLimit && l.promises(s) {
			return s, true
		}
	}
	return "", false
}

// promises is false for steps that cannot work.
func (l ladder) promises(s Step) bool {
	switch s {
	case StepRestore:
		return l.snapshotUsable && !l.mute && !l.gone
	case StepReset:
		// Resetting is what a guest in a reboot loop does all the time.
		return !l.mute && !l.gone && l.verdict != agentapi.VerdictRebootLoop
	}
	return true
}
