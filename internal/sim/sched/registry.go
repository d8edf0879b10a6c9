package sched

import (
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
	New     func() sim.Scheduler
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

// New makes the scheduler of that name: one of this package's, or SimSo's with or without "simso.schedulers.".
func New(name string) (sim.Scheduler, error) {
	short := strings.TrimPrefix(name, "simso.schedulers.")
	if full, is := aliases[short]; is {
		short = full
	}
	p, there := policies[short]
	if !there {
		return nil, fmt.Errorf("%w: scheduler: %q is not known; use one of %s", sim.ErrInvalid, name, strings.Join(slices.Sorted(maps.Keys(policies)), ", "))
	}
	return p.New(), nil
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
		{"EDF", Global, "earliest deadline first", NewEDF},
		{"EDF2", Global, "earliest deadline first, chosen as a set", NewEDF2},
		{"RM", Global, "rate monotonic", NewRM},
		{"DM", Global, "deadline monotonic", NewDM},
		{"FP", Global, "fixed priorities, large is urgent", NewFP},
		{"Genode-FP", Global, "fixed priorities, 0 is the highest", NewGenodeFP},
		{"FIFO", Global, "in order of activation, not preemptive", NewFIFO},
	} {
		Register(p)
	}
	Register(Policy{"EDF-US", Global, "EDF, tasks above half a processor first", NewEDFUS}, "EDF_US")
	Register(Policy{"PriD", Global, "EDF(k), the heaviest tasks first", NewPriD})
	Register(Policy{"G-FL", Global, "global fair lateness", NewGFL}, "G_FL")
	Register(Policy{"G-FL-ZL", Global, "global fair lateness until zero laxity", NewGFLZL}, "G_FL_ZL")
	Register(Policy{"EDZL", Global, "EDF until zero laxity", NewEDZL})
	Register(Policy{"EDF-mono", Uniprocessor, "earliest deadline first, ties by activation", NewEDFMono}, "EDF_mono")
	Register(Policy{"RM-mono", Uniprocessor, "rate monotonic, ties by activation", NewRMMono}, "RM_mono")
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
			Register(Policy{"P-" + key + "-" + f.name, Partitioned, key + " on each processor, " + f.says, newPartitioned(of, f.pack)})
		}
	}
	maps.Copy(aliases, map[string]string{
		"P_EDF": "P-EDF-FFD", "P_EDF2": "P-EDF-FF", "P_EDF_WF": "P-EDF-WF", "LB_P_EDF": "P-EDF-LL", "P_RM": "P-RM-LL",
	})
}
