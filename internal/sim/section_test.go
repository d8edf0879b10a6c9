package sim_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
)

// inversion is the example of all textbooks: the low task has what the high one wants, while the middle one is ready.
func inversion() *sim.System {
	return &sim.System{Duration: 40 * ms, Processors: processors(1), Tasks: []sim.Task{
		{ID: 1, Priority: 3, Offset: 3 * ms, WCET: 2 * ms, Period: 50 * ms, Sections: []sim.Section{{From: ms, To: 2 * ms}}},
		{ID: 2, Priority: 2, Offset: 2 * ms, WCET: 5 * ms, Period: 50 * ms},
		{ID: 3, Priority: 1, WCET: 4 * ms, Period: 50 * ms, Sections: []sim.Section{{From: ms, To: 3 * ms}}},
	}}
}

// TestF55PriorityInheritanceEndsAnInversion: the high task waits for the rest of one section, and not for the middle one.
func TestF55PriorityInheritanceEndsAnInversion(t *testing.T) {
	jobs, _ := run(t, inversion(), "FP")
	for i, want := range [][]sim.Segment{
		{{From: 3 * ms, To: 4 * ms}, {From: 5 * ms, To: 6 * ms}},
		{{From: 2 * ms, To: 3 * ms}, {From: 6 * ms, To: 10 * ms}},
		{{From: 0, To: 2 * ms}, {From: 4 * ms, To: 5 * ms}, {From: 10 * ms, To: 11 * ms}},
	} {
		if j := of(jobs, i)[0]; !slices.Equal(j.Segments, want) {
			t.Errorf("task %d runs %v, want %v", i+1, j.Segments, want)
		}
	}
}

// TestAResourceIsGivenBackByAJobThatIsKilled, or that has less to do than its WCET.
func TestAResourceIsGivenBackByAJobThatIsKilled(t *testing.T) {
	s := inversion()
	s.Tasks[2].CriticalTime = 4500 * us
	jobs, _ := run(t, s, "FP")
	if high, low := of(jobs, 0)[0], of(jobs, 2)[0]; high.Ended != 5500*us || low.Ended != 4500*us || !low.Aborted {
		t.Errorf("the high task ends at %d, the low one at %d, want 5.5 ms, and killed at 4.5 ms", high.Ended, low.Ended)
	}
	s = inversion()
	s.Tasks[2].Execution = sim.Uniform{Least: 2500 * us, Most: 2500 * us}
	jobs, _ = run(t, s, "FP")
	if high, low := of(jobs, 0)[0], of(jobs, 2)[0]; high.Ended != 5500*us || low.Ended != 4500*us || low.Aborted {
		t.Errorf("the high task ends at %d, the low one at %d, want 5.5 and 4.5 ms", high.Ended, low.Ended)
	}
}

func TestMistakesOfSectionsAreNamed(t *testing.T) {
	for path, spoil := range map[string]func(*sim.System){
		"tasks[0].sections: 1 of them: resources are": func(s *sim.System) { s.Processors = processors(2) },
		"tasks[0].sections[0].resource: -1":           func(s *sim.System) { s.Tasks[0].Sections[0].Resource = -1 },
		"tasks[0].sections[0].resource: 1024":         func(s *sim.System) { s.Tasks[0].Sections[0].Resource = 1024 },
		"tasks[0].sections[0].from: -1":               func(s *sim.System) { s.Tasks[0].Sections[0].From = -1 },
		"tasks[0].sections[0].to: 1000000":            func(s *sim.System) { s.Tasks[0].Sections[0].To = ms },
		"tasks[0].sections[0].to: 2000001":            func(s *sim.System) { s.Tasks[0].Sections[0].To = 2*ms + 1 },
		"tasks[0].sections[1].from: 1999999": func(s *sim.System) {
			s.Tasks[0].Sections = append(s.Tasks[0].Sections, sim.Section{Resource: 1, From: 2*ms - 1, To: 2 * ms})
		},
	} {
		s := inversion()
		spoil(s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), "invalid system: "+path) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// TestSectionsExcludeEachOtherAndBlockForABoundedTime: no response time exceeds the bound of the analysis with one section
// of each lower task as blocking.
func TestSectionsExcludeEachOtherAndBlockForABoundedTime(t *testing.T) {
	bounded, blocked := 0, 0
	for seed := range uint64(200) {
		s, set := shared(rand.New(rand.NewPCG(seed, 5)))
		jobs, _ := run(t, s, "RM")
		exclusive(t, jobs)
		for i, got := range worst(jobs, len(s.Tasks)) {
			bound, err := analysis.ResponseTime(set, i)
			if err != nil || bound > s.Tasks[i].Period {
				continue
			}
			bounded++
			if got > bound {
				t.Fatalf("seed %d: task %d responds in %d, bound %d of %+v", seed, i, got, bound, set)
			}
			set[i].B = 0
			if alone, err := analysis.ResponseTime(set, i); err == nil && got > alone {
				blocked++
			}
		}
	}
	if bounded < 100 || blocked < 20 {
		t.Errorf("%d bounds were tried, %d jobs were really blocked: the sets show little", bounded, blocked)
	}
}

// shared draws four tasks, shorter periods first, with sections of two resources.
func shared(r *rand.Rand) (*sim.System, analysis.Set) {
	s := &sim.System{Duration: 3 * sim.Second, Processors: processors(1)}
	for i := range 4 {
		period := (sim.Time(i+1)*10 + 1 + r.Int64N(9)) * ms
		wcet := period/10 + r.Int64N(period/8)
		from := r.Int64N(wcet / 2)
		s.Tasks = append(s.Tasks, sim.Task{
			ID: i, WCET: wcet, Period: period, Offset: r.Int64N(period),
			Sections: []sim.Section{{Resource: r.IntN(2), From: from, To: from + 1 + r.Int64N(wcet-from)}},
		})
	}
	set := make(analysis.Set, len(s.Tasks))
	for i := range s.Tasks {
		set[i] = analysis.Task{C: s.Tasks[i].WCET, T: s.Tasks[i].Period, D: s.Tasks[i].Period}
		for _, lower := range s.Tasks[i+1:] {
			set[i].B += lower.Sections[0].To - lower.Sections[0].From
		}
	}
	return s, set
}

// exclusive checks that no two jobs are in sections of one resource at a time.
func exclusive(t *testing.T, jobs []sim.Record) {
	t.Helper()
	type stay struct{ from, to sim.Time }
	stays := map[int][]stay{}
	for _, j := range jobs {
		c := j.Task.Sections[0]
		if j.Ended != sim.Never {
			stays[c.Resource] = append(stays[c.Resource], stay{when(j, c.From+1) - 1, when(j, c.To)})
		}
	}
	for resource, all := range stays {
		slices.SortFunc(all, func(a, b stay) int { return cmp.Compare(a.from, b.from) })
		for i := range all[1:] {
			if all[i+1].from < all[i].to {
				t.Fatalf("resource %d: %+v and %+v", resource, all[i], all[i+1])
			}
		}
	}
}

// when is the time at which a job has done so much work.
func when(j sim.Record, work sim.Time) sim.Time {
	for _, s := range j.Segments {
		if work <= s.To-s.From {
			return s.From + work
		}
		work -= s.To - s.From
	}
	return j.Ended
}
