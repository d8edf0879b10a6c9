package sched_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// classes are the schedulers that SimSo has.
var classes = []string{
	"EDF", "EDF2", "EDF_mono", "RM", "RM_mono", "FP", "Static_EDF", "CC_EDF", "LLF", "MLLF", "LSTR", "EDZL", "EDCL",
	"EDF_US", "PriD", "G_FL", "G_FL_ZL", "P_EDF", "P_EDF2", "P_EDF_WF", "LB_P_EDF", "P_RM", "Fixed_PEDF", "SCHED_DEADLINE",
	"EPDF", "PD2", "ER_PD2", "LLREF", "LLREF2", "LRE_TL", "DP_WRAP", "BF", "NVNLF", "EKG", "EDHS", "RUN", "WC_RUN", "U_EDF",
	"WC_U_EDF",
}

func TestClassNamesOfSimSoAreAccepted(t *testing.T) {
	s := &sim.System{Duration: 60 * ms, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
		{ID: 1, Period: 10 * ms, WCET: 4 * ms, Priority: 1, Pinned: true}, {ID: 2, Period: 20 * ms, WCET: 9 * ms, Pinned: true},
	}}
	for _, name := range classes {
		for _, written := range []string{name, "simso.schedulers." + name} {
			jobs, totals := run(t, written, s)
			checkPlaces(t, s, jobs, totals)
			if totals.Released != 11 || totals.Missed > 0 {
				t.Errorf("%s: %d jobs, %d missed, want 11 and none", written, totals.Released, totals.Missed)
			}
		}
	}
}

// shortest runs the shortest of the jobs that are there to its end.
type shortest struct {
	view sim.View
	jobs []*sim.Job
}

func (s *shortest) Init(v sim.View) error {
	s.view = v
	return nil
}

func (s *shortest) Activated(j *sim.Job) { s.jobs = append(s.jobs, j) }

func (s *shortest) Ended(j *sim.Job) {
	for i := range s.jobs {
		if s.jobs[i] == j {
			s.jobs = append(s.jobs[:i], s.jobs[i+1:]...)
			return
		}
	}
}

func (s *shortest) Decide(processor int) []sim.Decision {
	var first *sim.Job
	for _, j := range s.jobs {
		if j.Processor() < 0 && (first == nil || j.Task.WCET < first.Task.WCET) {
			first = j
		}
	}
	if first == nil || s.view.Running(processor) != nil {
		return nil
	}
	return []sim.Decision{{Job: first, Processor: processor}}
}

// Example registers shortest job first, and lets it schedule three jobs that come at once and one that comes late.
func Example() {
	sched.Register(sched.Policy{
		Name: "SJF", Scope: sched.Uniprocessor, Summary: "shortest job first, not preemptive",
		New: sched.Plain(func() sim.Scheduler { return &shortest{} }),
	})
	scheduler, err := sched.New("SJF")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := &sim.System{Duration: 30 * sim.Millisecond, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
		{ID: 1, Name: "long", WCET: 9 * sim.Millisecond}, {ID: 2, Name: "short", WCET: 2 * sim.Millisecond},
		{ID: 3, Name: "middle", WCET: 4 * sim.Millisecond}, {ID: 4, Name: "late", WCET: sim.Millisecond, Offset: 7 * sim.Millisecond},
	}}
	_, err = sim.Run(context.Background(), s, scheduler, sim.ObserverFunc(func(r *sim.Record) {
		fmt.Printf("%s: %d to %d ms\n", r.Task.Name, r.Begun/sim.Millisecond, r.Ended/sim.Millisecond)
	}))
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// short: 0 to 2 ms
	// middle: 2 to 6 ms
	// long: 6 to 15 ms
	// late: 15 to 16 ms
}

func TestF29SchedulersCanBeRegistered(t *testing.T) {
	sched.Register(sched.Policy{
		Name: "Shortest", Scope: sched.Uniprocessor, Summary: "shortest job first, not preemptive",
		New: sched.Plain(func() sim.Scheduler { return &shortest{} }),
	}, "SJF_mono")
	r := rand.New(rand.NewPCG(29, 29))
	for range 100 {
		s := once(1)
		for id := range 2 + r.IntN(6) {
			s.Tasks = append(s.Tasks, sim.Task{ID: id, WCET: sim.Time(1+r.IntN(10)) * ms})
		}
		jobs, totals := run(t, "SJF_mono", s)
		checkSchedule(t, s, jobs, totals)
		if !slices.IsSortedFunc(jobs, func(a, b ran) int { return cmp.Compare(a.Task.WCET, b.Task.WCET) }) {
			t.Fatalf("jobs end in this order: %v", jobs)
		}
	}
	if p, err := sched.Find("SJF_mono"); err != nil || p.Name != "Shortest" {
		t.Errorf("the scheduler that was registered is %q: %v", p.Name, err)
	}
}
