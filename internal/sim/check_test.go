package sim_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// well is a system with something of everything, and no mistake.
func well() *sim.System {
	return &sim.System{
		Duration: 100 * ms, Processors: []sim.Processor{{}, {SpeedNumerator: 1, SpeedDenominator: 2, Save: us, Load: us}},
		Overheads: sim.Overheads{Decide: us, Activate: us, End: us, Timer: us, Preempt: us, Migration: us},
		Tasks: []sim.Task{
			{ID: 1, WCET: 2 * ms, Period: 10 * ms, Jitter: ms, Follows: true, Follower: 2, Execution: sim.Normal{Mean: ms, Deviation: us}},
			{ID: 2, Kind: sim.Sporadic, WCET: ms, Arrivals: []sim.Time{0, ms, ms}, Deadline: 4 * ms, OnMiss: sim.Abort},
			{ID: 3, Kind: sim.Aperiodic, WCET: ms, CriticalTime: 5 * ms},
			{ID: 4, Kind: sim.Sporadic, WCET: ms, Period: 5 * ms, Slack: ms, OnMiss: sim.SkipNext, Pinned: true, Processor: 1, Execution: sim.Uniform{Least: 1, Most: 2}},
		},
	}
}

// TestMistakesAreNamed: each wrong value is reported with its path.
func TestMistakesAreNamed(t *testing.T) {
	if err := well().Check(); err != nil {
		t.Fatal(err)
	}
	for path, spoil := range map[string]func(*sim.System){
		"duration: -1":                   func(s *sim.System) { s.Duration = -1 },
		"duration: 9223372036854775807":  func(s *sim.System) { s.Duration = math.MaxInt64 },
		"tasks: none":                    func(s *sim.System) { s.Tasks = nil },
		"processors: none":               func(s *sim.System) { s.Processors = nil },
		"tick: -5":                       func(s *sim.System) { s.Tick = -5 },
		"overheads.timer: 1000":          func(s *sim.System) { s.Tick = us },
		"window.from: -1":                func(s *sim.System) { s.Window.From, s.Window.To = -1, 5 },
		"window.to: 3":                   func(s *sim.System) { s.Window.From, s.Window.To = 3, 3 },
		"window.to: 100000001":           func(s *sim.System) { s.Window.To = 100*ms + 1 },
		"processors[0].speed: 0/1":       func(s *sim.System) { s.Processors[0].SpeedDenominator = 1 },
		"processors[1].speed: 1/-2":      func(s *sim.System) { s.Processors[1].SpeedDenominator = -2 },
		"processors[0].speed: 9999/1":    func(s *sim.System) { s.Processors[0].SpeedNumerator, s.Processors[0].SpeedDenominator = 9999, 1 },
		"processors[1].save: -1":         func(s *sim.System) { s.Processors[1].Save = -1 },
		"processors[1].load: -1":         func(s *sim.System) { s.Processors[1].Load = -1 },
		"overheads.decide: -1":           func(s *sim.System) { s.Overheads.Decide = -1 },
		"overheads.activate: -1":         func(s *sim.System) { s.Overheads.Activate = -1 },
		"overheads.end: -1":              func(s *sim.System) { s.Overheads.End = -1 },
		"overheads.timer: -1":            func(s *sim.System) { s.Overheads.Timer = -1 },
		"overheads.preempt: -1":          func(s *sim.System) { s.Overheads.Preempt = -1 },
		"overheads.migration: -1":        func(s *sim.System) { s.Overheads.Migration = -1 },
		"tasks[1].id: 1: tasks[0]":       func(s *sim.System) { s.Tasks[1].ID = 1 },
		"tasks[0].kind: Now":             func(s *sim.System) { s.Tasks[0].Kind = "Now" },
		"tasks[0].offset: -1":            func(s *sim.System) { s.Tasks[0].Offset = -1 },
		"tasks[0].period: -1":            func(s *sim.System) { s.Tasks[0].Period, s.Tasks[0].Jitter = -1, 0 },
		"tasks[0].period: 922337":        func(s *sim.System) { s.Tasks[0].Period = math.MaxInt64 },
		"tasks[0].jitter: 10000000":      func(s *sim.System) { s.Tasks[0].Jitter = 10 * ms },
		"tasks[0].slack: 5":              func(s *sim.System) { s.Tasks[0].Slack = 5 },
		"tasks[1].slack: 5":              func(s *sim.System) { s.Tasks[1].Slack = 5 },
		"tasks[3].slack: -5":             func(s *sim.System) { s.Tasks[3].Slack = -5 },
		"tasks[0].deadline: -1":          func(s *sim.System) { s.Tasks[0].Deadline = -1 },
		"tasks[0].wcet: -1":              func(s *sim.System) { s.Tasks[0].WCET = -1 },
		"tasks[0].jobs: -1":              func(s *sim.System) { s.Tasks[0].Jobs = -1 },
		"tasks[0].criticalTime: -1":      func(s *sim.System) { s.Tasks[0].CriticalTime = -1 },
		"tasks[0].server.budget: -1":     func(s *sim.System) { s.Tasks[0].Server.Budget = -1 },
		"tasks[0].server.period: -1":     func(s *sim.System) { s.Tasks[0].Server.Period = -1 },
		"tasks[0].server.deadline: -1":   func(s *sim.System) { s.Tasks[0].Server.Deadline = -1 },
		"tasks[0].onMiss: Cry":           func(s *sim.System) { s.Tasks[0].OnMiss = "Cry" },
		"tasks[0].follower: 9":           func(s *sim.System) { s.Tasks[0].Follower = 9 },
		"tasks[0].follower: -1":          func(s *sim.System) { s.Tasks[0].Follower = -1 },
		"tasks[0].follower: 0":           func(s *sim.System) { s.Tasks[0].Follower = 0 },
		"tasks[3].processor: 2":          func(s *sim.System) { s.Tasks[3].Processor = 2 },
		"tasks[0].arrivals: 1 of them":   func(s *sim.System) { s.Tasks[0].Arrivals = []sim.Time{1} },
		"tasks[1].arrivals[0]: -1":       func(s *sim.System) { s.Tasks[1].Arrivals[0] = -1 },
		"tasks[1].arrivals[2]: 5":        func(s *sim.System) { s.Tasks[1].Arrivals[2] = 5 },
		"tasks[0].execution.mean: -1":    func(s *sim.System) { s.Tasks[0].Execution = sim.Normal{Mean: -1} },
		"tasks[0].execution.deviation: ": func(s *sim.System) { s.Tasks[0].Execution = sim.Normal{Deviation: math.MaxInt64} },
		"tasks[0].execution.least: -1":   func(s *sim.System) { s.Tasks[0].Execution = sim.Uniform{Least: -1} },
		"tasks[0].execution.most: 2":     func(s *sim.System) { s.Tasks[0].Execution = sim.Uniform{Least: 3, Most: 2} },
	} {
		s := well()
		spoil(s)
		if err := s.Check(); !errors.Is(err, sim.ErrInvalid) || !strings.Contains(err.Error(), "invalid system: "+path) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// TestQ15UnsortedArrivalsAreRefused with the place, and what is wrong there.
func TestQ15UnsortedArrivalsAreRefused(t *testing.T) {
	s := well()
	s.Tasks[1].Arrivals = []sim.Time{2 * ms, ms}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "tasks[1].arrivals[1]: 1000000: before the one ahead of it, 2000000; sort them") {
		t.Errorf("got %v", err)
	}
}

// FuzzSystemsNeverPanic: whatever Check lets through can be simulated for a moment.
func FuzzSystemsNeverPanic(f *testing.F) {
	f.Add(int64(100*ms), int64(2*ms), int64(10*ms), int64(0), int64(1), int64(2), int64(0), int64(0), uint8(3))
	f.Add(int64(1)<<50, int64(1)<<50, int64(1)<<50, int64(1)<<50, int64(1024), int64(1023), int64(1)<<40, int64(1)<<49, uint8(255))
	f.Add(int64(1)<<50, int64(1)<<50, int64(1), int64(1), int64(1), int64(1024), int64(1)<<40, int64(1), uint8(129))
	f.Fuzz(func(t *testing.T, duration, wcet, period, deadline, numerator, denominator, cost, slack int64, kinds uint8) {
		s := well()
		s.Duration, s.Processors[1].SpeedNumerator, s.Processors[1].SpeedDenominator = duration, numerator, denominator
		s.Overheads = sim.Overheads{Decide: cost, Migration: cost, Preempt: cost}
		s.Tasks[0].WCET, s.Tasks[0].Period, s.Tasks[0].Deadline, s.Tasks[0].Jitter = wcet, period, deadline, 0
		s.Tasks[3].Slack, s.Tasks[3].Period = slack, deadline
		if kinds&1 != 0 {
			s.Tasks[0].OnMiss, s.Tasks[0].Execution = sim.Abort, sim.Normal{Mean: wcet, Deviation: wcet}
		}
		if kinds&2 != 0 {
			s.Tick = period
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		policy, err := sched.New([]string{"EDF", "RM", "CC-EDF", "EDZL"}[kinds>>6])
		if err != nil {
			t.Fatal(err)
		}
		_, err = sim.Run(ctx, s, policy, sim.ObserverFunc(func(r *sim.Record) {
			if r.Executed < 0 || r.Begun < r.Released || r.Ended < r.Begun && !r.Aborted {
				t.Errorf("impossible: %+v", r)
			}
		}))
		if err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "does not get on") {
			t.Errorf("stuck: %v", err)
		}
	})
}
