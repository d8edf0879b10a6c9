package simfile_test

import (
	"fmt"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// TestF47RoundTripIsIdentity: what was written as YAML or JSON is read as the same.
func TestF47RoundTripIsIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyFile(t)
		text, err := simfile.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range [][]byte{text, asJSON} {
			got, err := simfile.Parse(form)
			if err != nil {
				t.Fatalf("%v\n%s", err, form)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(sim.Histogram{})); diff != "" {
				t.Fatalf("-written +read:\n%s\n%s", diff, form)
			}
		}
	})
}

const (
	longest   = 1 << 50
	costliest = 1 << 40 // overhead
)

// printable is any text that a name may be.
var printable = rapid.StringOf(rapid.RuneFrom([]rune{' ', '"', '\'', ':', '#', '-'}, unicode.L, unicode.N, unicode.P, unicode.S))

func anyTime(t *rapid.T, label string, least, most sim.Time) sim.Time {
	unit := rapid.SampledFrom([]sim.Time{1, sim.Microsecond, sim.Millisecond, sim.Second}).Draw(t, "unit")
	return min(most, max(least, rapid.Int64Range(0, longest/unit).Draw(t, label)*unit))
}

func anyFile(t *rapid.T) *simfile.File {
	f := &simfile.File{
		Name:      printable.Draw(t, "name"),
		Scheduler: rapid.SampledFrom([]string{"", "EDF", "simso.schedulers.RM"}).Draw(t, "scheduler"),
		Options:   rapid.SampledFrom([]map[string]string{nil, {"quantum": "1ms", "group": "2"}}).Draw(t, "options"),
	}
	s := &f.System
	s.Duration, s.Seed = anyTime(t, "duration", 0, longest), uint64(rapid.Int64Min(0).Draw(t, "seed"))
	s.Tick = anyTime(t, "tick", 0, longest)
	if s.Duration > 1 && rapid.Bool().Draw(t, "window") {
		s.Window = sim.Window{From: rapid.Int64Range(0, s.Duration-1).Draw(t, "from"), To: s.Duration}
	}
	o := &s.Overheads
	for _, cost := range []*sim.Time{&o.Decide, &o.Activate, &o.End, &o.Timer, &o.Preempt, &o.Migration} {
		*cost = 0
		if rapid.Bool().Draw(t, "costs") {
			*cost = anyTime(t, "cost", 0, costliest)
		}
	}
	for range rapid.IntRange(1, 4).Draw(t, "cpus") {
		p := sim.Processor{Name: printable.Draw(t, "cpu"), Save: anyTime(t, "save", 0, costliest), Load: anyTime(t, "load", 0, costliest)}
		speed := rapid.SampledFrom([][2]int64{{0, 0}, {1, 2}, {2, 1}, {1, 3}, {7, 10}}).Draw(t, "speed")
		p.SpeedNumerator, p.SpeedDenominator = speed[0], speed[1]
		s.Processors = append(s.Processors, p)
	}
	if s.Tick > 0 {
		o.Timer = min(o.Timer, s.Tick-1)
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "tasks") {
		s.Tasks = append(s.Tasks, anyTask(t, i, len(s.Processors)))
		if i > 0 && rapid.Bool().Draw(t, "follows") {
			s.Tasks[i].Follower, s.Tasks[i].Follows = i-1, true
		}
		if i > 0 && s.Tasks[0].Kind == sim.Aperiodic && rapid.Bool().Draw(t, "after") {
			s.Tasks[0].After = append(s.Tasks[0].After, i)
		}
		if w := s.Tasks[i].WCET; len(s.Processors) == 1 && w > 0 && rapid.Bool().Draw(t, "sections") {
			from := rapid.Int64Range(0, w-1).Draw(t, "from")
			s.Tasks[i].Sections = []sim.Section{{Resource: rapid.IntRange(0, 1023).Draw(t, "resource"), From: from, To: w}}
		}
	}
	return f
}

func anyTask(t *rapid.T, i, cpus int) sim.Task {
	task := sim.Task{
		ID: 10 * i, Name: fmt.Sprintf("%d%s", i, printable.Draw(t, "name")), Period: anyTime(t, "period", 2, longest),
		Deadline: anyTime(t, "deadline", 0, longest), WCET: anyTime(t, "wcet", 0, longest),
		Execution: rapid.SampledFrom([]sim.Execution{
			nil, sim.Normal{Mean: 5, Deviation: sim.Second}, sim.Uniform{Most: 7}, sim.NewHistogram([]sim.Time{5, 1, 5}),
		}).Draw(t, "execution"),
		Priority:     rapid.Int64().Draw(t, "priority"),
		Jobs:         rapid.Int64Range(0, 1<<40).Draw(t, "jobs"),
		OnMiss:       rapid.SampledFrom([]sim.MissPolicy{sim.Continue, sim.Abort, sim.SkipNext}).Draw(t, "onMiss"),
		CriticalTime: anyTime(t, "criticalTime", 0, longest),
		Kind:         rapid.SampledFrom([]sim.Kind{sim.Periodic, sim.Sporadic, sim.Aperiodic}).Draw(t, "kind"),
	}
	if rapid.Bool().Draw(t, "served") {
		task.Server = sim.Server{Budget: 1, Period: anyTime(t, "server", 0, longest), Deadline: longest}
	}
	if rapid.Bool().Draw(t, "pinned") {
		task.Processor, task.Pinned = rapid.IntRange(0, cpus-1).Draw(t, "processor"), true
	}
	switch task.Kind {
	case sim.Periodic:
		task.Offset, task.Jitter = anyTime(t, "offset", 0, longest), anyTime(t, "jitter", 0, task.Period-1)
	case sim.Sporadic:
		if rapid.Bool().Draw(t, "listed") {
			task.Arrivals = []sim.Time{0, anyTime(t, "arrival", 0, longest), longest}
		} else {
			task.Slack, task.Offset = anyTime(t, "slack", 1, longest), anyTime(t, "offset", 0, longest)
		}
	}
	return task
}
