package simso

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// OnMiss says what becomes of a job that runs too long.
type OnMiss string

// What becomes of it.
const (
	// EndAtPeriod ends it when the next period of its task begins, as taskloaders do: EXIT_PERIOD.
	EndAtPeriod OnMiss = "EndAtPeriod"
	// Continue lets it end late; the jobs after it wait.
	Continue OnMiss = "Continue"
	// Abort ends it at its deadline: EXIT_PERIOD.
	Abort OnMiss = "Abort"
	// SkipNext lets it end late, and leaves out the releases of its task until then.
	SkipNext OnMiss = "SkipNext"
)

// Settings of a simulated target, in session.Target. What is zero has its default.
type Settings struct {
	// Scheduler by its name in package sched, SimSo's names included. By default EDF if a task of the variant has
	// a deadline, else Genode-FP.
	Scheduler string
	// SchedulerOptions as a list "name=value,name=value".
	SchedulerOptions string
	// CPUs is the number of processors; 1 by default.
	CPUs int
	// Duration of simulated time at which a variant ends at the latest. By default that is long after its last job.
	Duration time.Duration
	// OnMiss is EndAtPeriod by default.
	OnMiss OnMiss
	// LeastPercent: each job takes a random time from so many percent of the execution time to all of it, evenly
	// distributed; 100, all of it, by default.
	LeastPercent int
	// Seed is mixed with that of the variant.
	Seed uint64
}

// FromSpec are the settings that spec.simso of a TargetSession says.
func FromSpec(spec *v1alpha1.SimSoTarget) Settings {
	if spec == nil {
		return Settings{}
	}
	var options []string
	for _, name := range slices.Sorted(maps.Keys(spec.SchedulerOptions)) {
		options = append(options, name+"="+string(spec.SchedulerOptions[name]))
	}
	return Settings{
		Scheduler: spec.Scheduler, SchedulerOptions: strings.Join(options, ","), CPUs: int(spec.CPUs), OnMiss: OnMiss(spec.OnMiss),
		Duration:     time.Duration(ptr.Deref(spec.DurationMilliseconds, 0)) * time.Millisecond,
		LeastPercent: int(spec.LeastExecutionPercent), Seed: uint64(ptr.Deref(spec.Seed, 0)),
	}
}

// Check says what is wrong with the settings of a target.
func Check(t session.Target) error {
	_, err := settingsOf(t)
	return err
}

const (
	maxCPUs = 1024
	full    = 100 // percent
)

// settingsOf are the settings of a target with their defaults.
func settingsOf(t session.Target) (Settings, error) {
	s, ours := t.Settings.(Settings)
	if t.Settings != nil && !ours {
		return s, fmt.Errorf("%w: target %s: its settings are a %T; a simulated target has simso.Settings", session.ErrUnsupported, t.Name, t.Settings)
	}
	if s.CPUs == 0 {
		s.CPUs = 1
	}
	if s.LeastPercent == 0 {
		s.LeastPercent = full
	}
	if s.OnMiss == "" {
		s.OnMiss = EndAtPeriod
	}
	if err := s.check(); err != nil {
		return s, fmt.Errorf("%w: target %s: %w", session.ErrUnsupported, t.Name, err)
	}
	return s, nil
}

// check refuses what cannot be simulated whatever the tasks are.
func (s *Settings) check() error {
	switch {
	case s.CPUs < 1 || s.CPUs > maxCPUs:
		return fmt.Errorf("spec.simso.cpus: %d: use 1 to %d", s.CPUs, maxCPUs)
	case s.LeastPercent < 1 || s.LeastPercent > full:
		return fmt.Errorf("spec.simso.leastExecutionPercent: %d: use 1 to %d", s.LeastPercent, full)
	case s.Duration < 0:
		return fmt.Errorf("spec.simso.durationMilliseconds: %d: use 1 or more, or leave it out", s.Duration.Milliseconds())
	case !slices.Contains([]OnMiss{EndAtPeriod, Continue, Abort, SkipNext}, s.OnMiss):
		return fmt.Errorf("spec.simso.onMiss: %q: use EndAtPeriod, Continue, Abort or SkipNext", s.OnMiss)
	}
	options, err := s.options()
	if err != nil || s.Scheduler == "" {
		return err
	}
	if _, err := sched.NewWith(s.Scheduler, options); err != nil {
		return fmt.Errorf("spec.simso: %w", err)
	}
	return nil
}

// options of the scheduler by name.
func (s *Settings) options() (map[string]string, error) {
	all := map[string]string{}
	for pair := range strings.SplitSeq(s.SchedulerOptions, ",") {
		if pair == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return nil, fmt.Errorf("spec.simso.schedulerOptions: %q: write name=value", pair)
		}
		all[name] = value
	}
	return all, nil
}
