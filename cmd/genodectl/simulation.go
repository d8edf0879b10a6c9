package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
)

// simulationOptions say how class SimSo simulates.
type simulationOptions struct {
	Scheduler string            `json:"scheduler,omitempty"`
	Options   map[string]string `json:"options,omitempty"`
	CPUs      int               `json:"cpus,omitempty"`
	OnMiss    string            `json:"onMiss,omitempty"`
	Least     int               `json:"leastExecutionPercent,omitempty"`
}

func (s *simulationOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&s.Scheduler, "scheduler", "", "class SimSo: scheduler, by its name here or in SimSo; EDF if tasks have deadlines, else Genode-FP, by default")
	f.StringToStringVar(&s.Options, "option", nil, "class SimSo: option of the scheduler, for example quantum=100us")
	f.IntVar(&s.CPUs, "cpus", 1, "class SimSo: number of processors")
	f.StringVar(&s.OnMiss, "on-miss", string(simso.EndAtPeriod), "class SimSo: what becomes of jobs that run too long: EndAtPeriod, Continue, Abort or SkipNext")
	f.IntVar(&s.Least, "least-execution-percent", 100, "class SimSo: jobs take a random part of their execution time, from so many percent to all of it")
}

// fixed are the targets of classes that need no looking for them, whatever addresses are named. There are as many
// simulations as processors.
func (t *targetOptions) fixed(class v1alpha1.SessionClass) ([]session.Target, error) {
	switch class {
	case v1alpha1.ClassStdio:
		return []session.Target{{Name: "dry run", Class: string(class), Generation: t.Generation}}, nil
	case v1alpha1.ClassSimSo:
	default:
		return nil, nil
	}
	s := t.Simulation
	var options []string
	for _, name := range slices.Sorted(maps.Keys(s.Options)) {
		options = append(options, name+"="+s.Options[name])
	}
	settings := simso.Settings{
		Scheduler: s.Scheduler, SchedulerOptions: strings.Join(options, ","), CPUs: s.CPUs, OnMiss: simso.OnMiss(s.OnMiss), LeastPercent: s.Least,
	}
	var all []session.Target
	for i := range runtime.GOMAXPROCS(0) {
		all = append(all, session.Target{Name: fmt.Sprintf("simulation-%d", i), Class: string(class), Generation: t.Generation, Settings: settings})
	}
	return all, simso.Check(all[0])
}
