package sched

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Scope says where the jobs of a task may run.
type Scope string

// Scopes.
const (
	Uniprocessor Scope = "Uniprocessor"
	Partitioned  Scope = "Partitioned" // always on one and the same
	Global       Scope = "Global"      // anywhere
	// SemiPartitioned: on one and the same but for a few tasks, which are split over several.
	SemiPartitioned Scope = "SemiPartitioned"
)

// Policy is a scheduler that can be had by name.
type Policy struct {
	Name    string
	Scope   Scope
	Summary string
	// New makes one; it asks for its options.
	New func(*Options) sim.Scheduler
}

// Options lists what of the scheduler can be chosen.
func (p Policy) Options() []Option {
	o := &Options{}
	p.New(o)
	return o.known
}

// Plain makes schedulers without options.
func Plain(make func() sim.Scheduler) func(*Options) sim.Scheduler {
	return func(*Options) sim.Scheduler { return make() }
}

// policies by name; aliases are SimSo's names for them.
var (
	policies = map[string]Policy{}
	aliases  = map[string]string{}
)

// Register makes a scheduler known under a name of its own.
func Register(p Policy, alias ...string) {
	policies[p.Name] = p
	for _, a := range alias {
		aliases[a] = p.Name
	}
}

// Find is the policy of that name: one of this package's, or SimSo's with or without "simso.schedulers.".
func Find(name string) (Policy, error) {
	short := strings.TrimPrefix(name, "simso.schedulers.")
	if full, is := aliases[short]; is {
		short = full
	}
	p, there := policies[short]
	if !there {
		return Policy{}, fmt.Errorf("%w: scheduler: %q is not known; use one of %s", sim.ErrInvalid, name, strings.Join(slices.Sorted(maps.Keys(policies)), ", "))
	}
	return p, nil
}

// New makes the scheduler of that name with the defaults of its options.
func New(name string) (sim.Scheduler, error) { return NewWith(name, nil) }

// NewWith makes the scheduler of that name with those options. Its errors name the option, the value and what to do.
func NewWith(name string, options map[string]string) (sim.Scheduler, error) {
	p, err := Find(name)
	if err != nil {
		return nil, err
	}
	o := &Options{values: options}
	scheduler := p.New(o)
	if err := errors.Join(o.check(p.Name)...); err != nil {
		return nil, err
	}
	return scheduler, nil
}

// All lists the schedulers by name.
func All() []Policy {
	var all []Policy
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		all = append(all, policies[name])
	}
	return all
}

func init() {
	for _, p := range []Policy{
		{"EDF", Global, "earliest deadline first", Plain(NewEDF)},
		{"EDF2", Global, "earliest deadline first, chosen as a set", Plain(NewEDF2)},
		{"RM", Global, "rate monotonic", Plain(NewRM)},
		{"DM", Global, "deadline monotonic", Plain(NewDM)},
		{"FP", Global, "fixed priorities, large is urgent", Plain(NewFP)},
		{"Genode-FP", Global, "fixed priorities, 0 is the highest", Plain(NewGenodeFP)},
		{"FIFO", Global, "in order of activation, not preemptive", Plain(NewFIFO)},
	} {
		Register(p)
	}
	Register(Policy{"EDF-US", Global, "EDF, tasks above half a processor first", Plain(NewEDFUS)}, "EDF_US")
	Register(Policy{"PriD", Global, "EDF(k), the heaviest tasks first", Plain(NewPriD)})
	Register(Policy{"G-FL", Global, "global fair lateness", Plain(NewGFL)}, "G_FL")
	Register(Policy{"G-FL-ZL", Global, "global fair lateness until zero laxity", Plain(NewGFLZL)}, "G_FL_ZL")
	Register(Policy{"EDZL", Global, "EDF until zero laxity", Plain(NewEDZL)})
	Register(Policy{"EDF-mono", Uniprocessor, "earliest deadline first, ties by activation", Plain(NewEDFMono)}, "EDF_mono")
	Register(Policy{"RM-mono", Uniprocessor, "rate monotonic, ties by activation", Plain(NewRMMono)}, "RM_mono")
	for key, of := range map[string]func(*sim.Job) int64{"EDF": byDeadline, "RM": byPeriod, "DM": byRelativeDeadline, "FP": byPriority} {
		for _, f := range []struct {
			name, says string
			pack       packer
		}{
			{"FF", "first fit", packer{choose: firstFit}}, {"NF", "next fit", packer{choose: nextFit}},
			{"BF", "best fit", packer{choose: bestFit}}, {"WF", "worst fit", packer{choose: worstFit}},
			{"FFD", "first fit decreasing", packer{choose: firstFit, decreasing: true}},
			{"NFD", "next fit decreasing", packer{choose: nextFit, decreasing: true}},
			{"BFD", "best fit decreasing", packer{choose: bestFit, decreasing: true}},
			{"WFD", "worst fit decreasing", packer{choose: worstFit, decreasing: true}},
			{"LL", "least loaded processor, without a limit", packer{choose: leastLoaded}},
		} {
			Register(Policy{"P-" + key + "-" + f.name, Partitioned, key + " on each processor, " + f.says, Plain(newPartitioned(of, f.pack))})
		}
		Register(Policy{"P-" + key + "-fixed", Partitioned, key + " on each processor, tasks where they are pinned to", Plain(newFixed(of))})
	}
	maps.Copy(aliases, map[string]string{
		"P_EDF": "P-EDF-FFD", "P_EDF2": "P-EDF-FF", "P_EDF_WF": "P-EDF-WF", "LB_P_EDF": "P-EDF-LL", "P_RM": "P-RM-LL",
		"Fixed_PEDF": "P-EDF-fixed",
	})
}
