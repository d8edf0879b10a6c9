package sched_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// randomSystem makes up to eight tasks with whole milliseconds on up to three processors.
func randomSystem(r *rand.Rand, processors int) *sim.System {
	s := &sim.System{Duration: sim.Time(200+r.IntN(300)) * sim.Millisecond, Processors: make([]sim.Processor, processors)}
	for i := range 1 + r.IntN(8) {
		period := sim.Time(2 + r.IntN(30))
		wcet := sim.Time(1 + r.IntN(int(period)))
		s.Tasks = append(s.Tasks, sim.Task{
			ID: i, Period: period * sim.Millisecond, WCET: wcet * sim.Millisecond, Offset: sim.Time(r.IntN(5)) * sim.Millisecond,
			Deadline: (wcet + sim.Time(r.IntN(int(2*period-wcet)))) * sim.Millisecond, Priority: int64(r.IntN(4)),
			OnMiss: []sim.MissPolicy{sim.Continue, sim.Abort, sim.SkipNext}[r.IntN(3)],
		})
	}
	return s
}

// ran is what a test keeps of a job.
type ran struct {
	sim.Record
	segments []sim.Segment
}

func run(t *testing.T, name string, s *sim.System) ([]ran, sim.Totals) {
	t.Helper()
	scheduler, err := sched.New(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []ran
	totals, err := sim.Run(context.Background(), s, scheduler, sim.ObserverFunc(func(r *sim.Record) {
		all = append(all, ran{*r, slices.Clone(r.Segments)})
	}))
	if err != nil && !errors.Is(err, sim.ErrInvalid) {
		t.Fatalf("%s: %v", name, err)
	}
	return all, totals
}

// TestEveryScheduleIsPossible holds for all schedulers: no job runs before its release, on two processors at
// a time or beside another one; none does more than its work; totals add up.
func TestEveryScheduleIsPossible(t *testing.T) {
	for _, policy := range sched.All() {
		t.Run(policy.Name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, 2))
			for range 60 {
				processors := 1 + r.IntN(3)
				if policy.Scope == sched.Uniprocessor {
					processors = 1
				}
				s := randomSystem(r, processors)
				for i := range s.Tasks {
					s.Tasks[i].Pinned, s.Tasks[i].Processor = strings.HasSuffix(policy.Name, "-fixed"), i%processors
				}
				jobs, totals := run(t, policy.Name, s)
				checkPlaces(t, s, jobs, totals)
				if _, slow := policy.New(&sched.Options{}).(sim.Tuner); !slow {
					checkDone(t, jobs)
				}
			}
		})
	}
}

func checkSchedule(t *testing.T, s *sim.System, jobs []ran, totals sim.Totals) {
	t.Helper()
	checkPlaces(t, s, jobs, totals)
	checkDone(t, jobs)
}

// checkDone holds at full speed.
func checkDone(t *testing.T, jobs []ran) {
	t.Helper()
	for _, j := range jobs {
		if over := j.Ended != sim.Never && !j.Aborted; j.Executed > j.Task.WCET || over && j.Executed != j.Task.WCET {
			t.Fatalf("task %d job %d executed %d of %d", j.Task.ID, j.Number, j.Executed, j.Task.WCET)
		}
	}
}

func checkPlaces(t *testing.T, s *sim.System, jobs []ran, totals sim.Totals) {
	t.Helper()
	busy := make([][]sim.Segment, len(s.Processors))
	var sum sim.Time
	for _, j := range jobs {
		var executed, last sim.Time
		last = j.Released
		for _, seg := range j.segments {
			if seg.From < last || seg.To <= seg.From {
				t.Fatalf("task %d job %d: segment %v after %d", j.Task.ID, j.Number, seg, last)
			}
			last = seg.To
			executed += seg.To - seg.From
			busy[seg.Processor] = append(busy[seg.Processor], seg)
		}
		if executed != j.Executed {
			t.Fatalf("task %d job %d executed %d, segments %d", j.Task.ID, j.Number, j.Executed, executed)
		}
		sum += executed
	}
	var loads sim.Time
	for p, segments := range busy {
		slices.SortFunc(segments, func(a, b sim.Segment) int { return int(a.From - b.From) })
		for i := 1; i < len(segments); i++ {
			if segments[i].From < segments[i-1].To {
				t.Fatalf("processor %d does two jobs at a time: %v", p, segments[i-1:i+1])
			}
		}
		if len(totals.Processors) > 0 {
			loads += totals.Processors[p].Busy
		}
	}
	if loads != sum {
		t.Fatalf("processors were busy for %d, jobs executed for %d", loads, sum)
	}
}

// TestWorkIsConserved: under these schedulers no processor idles while a job waits.
func TestWorkIsConserved(t *testing.T) {
	for _, name := range []string{"EDF", "EDF2", "RM", "FP", "DM", "FIFO", "RR", "LLF", "MLLF", "EDF-mono", "RM-mono"} {
		r := rand.New(rand.NewPCG(3, 4))
		for range 60 {
			processors := 1 + r.IntN(3)
			if strings.HasSuffix(name, "-mono") {
				processors = 1
			}
			s := randomSystem(r, processors)
			jobs, _ := run(t, name, s)
			checkWork(t, name, s, jobs)
		}
	}
}

// checkWork looks at every moment in which something begins or ends.
func checkWork(t *testing.T, name string, s *sim.System, jobs []ran) {
	t.Helper()
	var moments []sim.Time
	for _, j := range jobs {
		moments = append(moments, j.Released)
		for _, seg := range j.segments {
			moments = append(moments, seg.From, seg.To)
		}
	}
	slices.Sort(moments)
	waiting := map[int]bool{} // by task, of those that have a job
	for _, at := range slices.Compact(moments) {
		if at >= s.Duration {
			continue
		}
		running := 0
		clear(waiting)
		for _, j := range jobs {
			if j.Released > at || at >= j.Ended {
				continue
			}
			if slices.ContainsFunc(j.segments, func(seg sim.Segment) bool { return seg.From <= at && at < seg.To }) {
				running++
				waiting[j.Index] = false
			} else if _, known := waiting[j.Index]; !known {
				waiting[j.Index] = true
			}
		}
		for task, waits := range waiting {
			if waits && running < len(s.Processors) {
				t.Fatalf("%s: at %d ns %d of %d processors work while task %d waits", name, at, running, len(s.Processors), task)
			}
		}
	}
}

// TestSimulationAndAnalysisAgree: from a synchronous release, fixed priorities reach exactly the worst-case
// response times, and EDF misses a deadline exactly when the demand criterion says so.
func TestSimulationAndAnalysisAgree(t *testing.T) {
	r, safe := rand.New(rand.NewPCG(5, 6)), 0
	for range 400 {
		s := &sim.System{Processors: make([]sim.Processor, 1)}
		var set analysis.Set
		for i := range 1 + r.IntN(4) {
			period := sim.Time([]int{4, 5, 6, 8, 10, 12, 15, 20}[r.IntN(8)])
			wcet := 1 + r.Int64N(max(1, period/2))
			task := sim.Task{ID: i, Period: period, WCET: wcet, Deadline: wcet + r.Int64N(period-wcet+1), Priority: int64(-i)}
			s.Tasks = append(s.Tasks, task)
			set = append(set, analysis.Task{C: task.WCET, T: task.Period, D: task.Deadline})
		}
		s.Duration = 2 * analysis.Hyperperiod(set).Int64()
		_, totals := run(t, "EDF", s)
		if want := analysis.EDF(set); (totals.Missed == 0) != want {
			t.Fatalf("EDF misses %d deadlines of %v, the demand criterion says %v", totals.Missed, set, want)
		}
		worst, ok := analysis.ResponseTimes(set)
		if !ok {
			continue
		}
		safe++
		seen := make([]int64, len(set))
		jobs, _ := run(t, "FP", s)
		for _, j := range jobs {
			if j.Ended != sim.Never {
				seen[j.Index] = max(seen[j.Index], j.Response())
			}
		}
		if diff := cmp.Diff(worst, seen); diff != "" {
			t.Fatalf("%v: longest responses (-analysis +simulation):\n%s", set, diff)
		}
	}
	if safe < 50 {
		t.Errorf("only %d safe sets: the test says too little", safe)
	}
}

func TestEqualSeedsGiveEqualRuns(t *testing.T) {
	s := randomSystem(rand.New(rand.NewPCG(7, 8)), 2)
	for i := range s.Tasks {
		s.Tasks[i].Execution = sim.Uniform{Least: 1, Most: s.Tasks[i].WCET}
		s.Tasks[i].Jitter = s.Tasks[i].Period / 2
	}
	first, _ := run(t, "EDF", s)
	again, _ := run(t, "EDF", s)
	opt := cmp.AllowUnexported(ran{})
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Segments" || p.Last().String() == ".Task" }, cmp.Ignore())
	if diff := cmp.Diff(first, again, opt, ignore); diff != "" {
		t.Errorf("two runs of one seed differ:\n%s", diff)
	}
	s.Seed++
	other, _ := run(t, "EDF", s)
	if cmp.Equal(first, other, opt, ignore) {
		t.Error("another seed gives the same run")
	}
}
