package main

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// inputOptions say which system is meant.
type inputOptions struct {
	taskset, file string
	variant       uint64
	// scheduler and cpus that are asked for; zero: none.
	scheduler string
	cpus      int
}

func (o *inputOptions) checkCPUs(cmd *cobra.Command) error {
	if cmd.Flags().Changed("cpus") && (o.cpus < 1 || o.cpus > simfile.MostProcessors) {
		return fmt.Errorf("--cpus %d: use 1 to %d", o.cpus, simfile.MostProcessors)
	}
	return nil
}

// override puts what is asked for in place of what the file says.
func (o *inputOptions) override(f *simfile.File) {
	if o.scheduler != "" {
		f.Scheduler, f.Options = o.scheduler, nil
	}
	if f.Scheduler == "" {
		f.Scheduler = "EDF"
	}
	if o.cpus > 0 {
		resize(f, o.cpus)
	}
}

// read reads the system of a file, or a variant of a task-set.
func (o *inputOptions) read(in io.Reader) (*simfile.File, error) {
	if o.file == "" || o.taskset != "" {
		l, err := load(o.taskset, o.file, in)
		if err != nil {
			return nil, err
		}
		return o.ofVariant(l)
	}
	text, err := readFile(o.file, in)
	if err != nil {
		return nil, fmt.Errorf("-f: %w", err)
	}
	f, err := o.parse(text)
	if err != nil {
		return nil, fmt.Errorf("-f %s: %w", o.file, err)
	}
	if f.Name == "" {
		f.Name = strings.TrimSuffix(filepath.Base(o.file), filepath.Ext(o.file))
	}
	return f, nil
}

func (o *inputOptions) parse(text []byte) (*simfile.File, error) {
	if simfile.Detect(text) != simfile.TaskSet {
		if o.variant > 0 {
			return nil, errors.New("--variant: there is only one system in this file; only task-sets have variants")
		}
		return simfile.Read(text)
	}
	l, err := parse(text)
	if err != nil {
		return nil, err
	}
	return o.ofVariant(l)
}

// ofVariant is a variant of a task-set, as a target of class SimSo simulates it.
func (o *inputOptions) ofVariant(l *loaded) (*simfile.File, error) {
	space, err := variant.Build(&l.spec, variant.DefaultSeed(variant.SeedOf(l.name)))
	if err != nil {
		return nil, err
	}
	tasks, err := space.At(o.variant)
	if err != nil {
		return nil, fmt.Errorf("--variant: %w", err)
	}
	settings := simso.Settings{Scheduler: o.scheduler, CPUs: max(1, o.cpus), OnMiss: simso.EndAtPeriod, LeastPercent: 100}
	system, scheduler, err := simso.System(session.Run{Variant: o.variant, Tasks: tasks}, settings)
	if err != nil {
		return nil, fmt.Errorf("variant %d: %w", o.variant, err)
	}
	return &simfile.File{Name: l.name, Scheduler: scheduler, System: *system}, nil
}

// resize gives a system another number of processors; new ones are like the last one.
func resize(f *simfile.File, cpus int) {
	s := &f.System
	for len(s.Processors) < cpus {
		next := s.Processors[len(s.Processors)-1]
		next.Name = ""
		s.Processors = append(s.Processors, next)
	}
	s.Processors = s.Processors[:cpus]
	f.CPUs = nil
}

// longestHyperperiod is what is simulated without being told how long.
const longestHyperperiod = 3600 * sim.Second

// hyperperiod is how long a system has to be simulated until everything repeats: once the hyperperiod of the
// periodic tasks, or with offsets the largest one and twice the hyperperiod (Leung and Merrill, A Note on Preemptive
// Scheduling of Periodic, Real-Time Tasks, Information Processing Letters 11(3), 1980).
func hyperperiod(s *sim.System) (sim.Time, error) {
	var set analysis.Set
	var offset sim.Time
	for i := range s.Tasks {
		if t := &s.Tasks[i]; t.Kind == sim.Periodic && t.Period > 0 {
			set = append(set, analysis.Task{C: 1, T: t.Period, D: t.Period})
			offset = max(offset, t.Offset)
		}
	}
	if len(set) == 0 {
		return 0, errors.New("how long shall be simulated? There is no periodic task, and so no hyperperiod; give a --duration")
	}
	h := analysis.Hyperperiod(set)
	if !h.IsInt64() || h.Int64() > longestHyperperiod {
		seconds, _ := new(big.Float).SetInt(h.Quo(h, big.NewInt(sim.Second))).Float64()
		return 0, fmt.Errorf("how long shall be simulated? The hyperperiod is %.4g s; give a --duration", seconds)
	}
	if offset > 0 {
		return offset + 2*h.Int64(), nil
	}
	return h.Int64(), nil
}
