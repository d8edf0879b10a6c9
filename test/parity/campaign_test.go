package parity

import (
	"database/sql"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/faketarget"
)

func TestF18ParallelDistribution(t *testing.T) {
	var targets []*faketarget.Target
	for i := range 8 {
		targets = append(targets, fake(t, faketarget.Options{
			Address: fmt.Sprintf("127.0.0.%d:0", i+1), Job: faketarget.Takes(5),
		}))
	}
	l := newLab(t, targets...)
	records := l.run(l.plan(hey6))
	succeeded(t, records)
	used := map[string]bool{}
	for _, r := range records {
		used[r.Address] = true
	}
	var sent []int
	for _, target := range targets {
		for _, tasks := range starts(target) {
			sent = append(sent, int(tasks[0].Priority))
		}
	}
	slices.Sort(sent)
	if len(used) != 8 || len(sent) != 127 || len(slices.Compact(sent)) != 127 {
		t.Errorf("%d hosts, %d task-sets sent", len(used), len(sent))
	}
}

func TestF19VariantsByProduct(t *testing.T) {
	cases := map[string]struct {
		spec string
		want []string // id, pkg, priority, period, config of each task
	}{
		"two attributes of a task, the first sweep is the slowest": {`
tasks: [{name: a, pkg: hey}]
sweeps:
- {task: a, attribute: periodMilliseconds, values: [1, 2]}
- {task: a, attribute: priority, values: [1, 2]}
`, []string{"0 hey 1 1", "0 hey 2 1", "0 hey 1 2", "0 hey 2 2"}},
		"two tasks, the last one is the fastest": {`
tasks: [{name: a, pkg: hey}, {name: b, pkg: hey}]
sweeps:
- {task: a, attribute: priority, values: [1, 2]}
- {task: b, attribute: priority, values: [1, 2]}
`, []string{"0 hey 1 0, 1 hey 1 0", "0 hey 1 0, 1 hey 2 0", "0 hey 2 0, 1 hey 1 0", "0 hey 2 0, 1 hey 2 0"}},
		"a value inside the config, beside one that stays": {`
tasks: [{name: a, pkg: hey, config: {a: 0, b: {c: 9}}}]
sweeps:
- {task: a, attribute: config.a, values: [1, 2]}
- {task: a, attribute: pkg, values: [hey, pi]}
`, []string{"0 hey 0 0 a1 c9", "0 pi 0 0 a1 c9", "0 hey 0 0 a2 c9", "0 pi 0 0 a2 c9"}},
		"none varies": {one, []string{"0 hey 10 0"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{})
			l := newLab(t, target)
			succeeded(t, l.run(l.plan(tc.spec)))
			var got []string
			for _, tasks := range starts(target) {
				got = append(got, render(tasks))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("variants (-want +got):\n%s", diff)
			}
		})
	}
}

func render(tasks []faketarget.Task) string {
	var out []string
	for _, k := range tasks {
		text := fmt.Sprint(k.ID, " ", k.Pkg, " ", k.Priority, " ", k.Period)
		for _, name := range []string{"a", "c"} {
			_, value, found := strings.Cut(k.Elements["config"], "<"+name+">")
			if value, _, _ = strings.Cut(value, "<"); found {
				text += " " + name + value
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestF20AnyNumberOfVariants(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p := l.plan(`
tasks: [{name: a, pkg: hey, config: {x: 0, y: 0, z: 0}}]
sweeps:
- {task: a, attribute: config.x, range: {from: 1, to: 1000}}
- {task: a, attribute: config.y, range: {from: 1, to: 1000}}
- {task: a, attribute: config.z, range: {from: 1, to: 1000}}
`)
	if p.Total != 1_000_000_000 {
		t.Fatalf("%d variants", p.Total)
	}
	l.Engine.Apply(p)
	l.await("a first hundred variants", func(s campaign.Snapshot) bool { return s.Finished >= 100 })
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	l.Engine.Forget("c")
}

func TestF24StopAndStartAgain(t *testing.T) {
	job := func(j faketarget.Job) faketarget.Plan {
		if j.Start == 3 {
			return faketarget.Plan{Milliseconds: faketarget.Endless}
		}
		return faketarget.Plan{}
	}
	target := fake(t, faketarget.Options{Job: job})
	l := newLab(t, target)
	p := l.plan(four)
	l.Engine.Apply(p)
	if err := target.Await(t.Context(), "START", 3); err != nil {
		t.Fatal(err)
	}
	stops := target.Count("STOP")
	l.Engine.Forget("c")
	if err := target.Await(t.Context(), "STOP", stops+1); err != nil {
		t.Fatal("the running job was not stopped")
	}
	succeeded(t, l.run(p))
	if n := len(starts(target)); n != 5 {
		t.Errorf("%d task-sets sent, want 5: one was stopped and came back", n)
	}
	for _, r := range l.records() {
		if r.Attempt != 1 {
			t.Errorf("variant %d: a stop counts as a failure: attempt %d", r.Variant, r.Attempt)
		}
	}
}

func TestF25ProgressAndFinish(t *testing.T) {
	target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtStart, After: 2, Do: faketarget.Hang()}}})
	l := newLab(t, target)
	l.Engine.Apply(l.plan(four))
	s := l.await("two of four", func(s campaign.Snapshot) bool { return s.Finished == 2 && s.Running == 1 })
	if s.Total != 4 || s.Tally.Succeeded != 2 || s.State != campaign.StateRunning {
		t.Errorf("progress: %+v", s)
	}
	l.await("a report", func(campaign.Snapshot) bool { return l.changed.Load() > 0 })
	target.Thaw()
	l.await("completion", complete)
}

func TestF27StoreAnswersQueries(t *testing.T) {
	// A job takes as many milliseconds as its priority.
	job := func(j faketarget.Job) faketarget.Plan { return faketarget.Plan{Milliseconds: int64(j.Task.Priority)} }
	var targets []*faketarget.Target
	for range 8 {
		targets = append(targets, fake(t, faketarget.Options{Job: job}))
	}
	l := newLab(t, targets...)
	succeeded(t, l.run(l.plan(hey6)))
	db, err := sql.Open("sqlite", l.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `
		SELECT CAST(json_extract(swept, '$."hello.priority"') AS INTEGER) AS priority, end_ms - start_ms
		FROM records JOIN jobs USING (campaign, variant, attempt) WHERE final ORDER BY priority`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := int64(0)
	for rows.Next() {
		n++
		var priority, took int64
		if err := rows.Scan(&priority, &took); err != nil {
			t.Fatal(err)
		}
		if priority != n || took < n-1 || took > n+1 { // stamps are cut to milliseconds
			t.Errorf("row %d: priority %d took %d ms", n, priority, took)
		}
	}
	if err := rows.Err(); err != nil || n != 127 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// W3: results were wrong without a warning, among them jobs of other variants.
func TestF35IsolationBetweenVariants(t *testing.T) {
	// Every job takes as long as its priority says, so a foreign job would be seen.
	job := func(j faketarget.Job) faketarget.Plan { return faketarget.Plan{Milliseconds: int64(j.Task.Priority)} }
	l := newLab(t, fake(t, faketarget.Options{Job: job}), fake(t, faketarget.Options{Job: job}))
	records := l.run(l.plan(two + `
sweeps:
- {task: hello, attribute: priority, values: [10, 30]}
- {task: load, attribute: priority, values: [50, 70]}
`))
	succeeded(t, records)
	for i, want := range [][2]int64{{10, 50}, {10, 70}, {30, 50}, {30, 70}} {
		var got [2]int64
		if len(records[i].Jobs) != 2 {
			t.Fatalf("variant %d has jobs %v", i, outcomes(records[i]))
		}
		for k, j := range records[i].Jobs {
			ms, _ := j.Response()
			got[k] = (ms + 1) / 10 * 10 // stamps are cut to milliseconds
		}
		if got != want {
			t.Errorf("variant %d: jobs took %v, want %v", i, got, want)
		}
	}
}

func TestF36PeriodicTaskSets(t *testing.T) {
	target := fake(t, faketarget.Options{Job: faketarget.Takes(2)})
	l := newLab(t, target)
	records := l.run(l.plan(`
tasks: [{name: a, pkg: hey, periodMilliseconds: 5, numberOfJobs: 100000}, {name: b, pkg: hey, periodMilliseconds: 8, numberOfJobs: 100000}]
completion: {jobsPerTask: 4}
`))
	succeeded(t, records)
	periods := map[string][]int64{}
	for _, j := range records[0].Jobs {
		periods[j.Task] = append(periods[j.Task], *j.Start)
	}
	for task, period := range map[string]int64{"a": 5, "b": 8} {
		got := periods[task]
		if len(got) != 4 || got[3]-got[0] < 3*period-1 || got[3]-got[0] > 3*period+1 {
			t.Errorf("task %s started at %v, want 4 jobs %d ms apart", task, got, period)
		}
	}
	if err := target.Await(t.Context(), "STOP", 1); err != nil {
		t.Error("the tasks go on")
	}
}

// W7: where a run was, only one process knew, and it took that with it.
func TestF38RestartOfTheController(t *testing.T) {
	a, b := fake(t, faketarget.Options{Job: faketarget.Takes(3)}), fake(t, faketarget.Options{Job: faketarget.Takes(3)})
	l := newLab(t, a, b)
	p := l.plan(hey6)
	for done := uint64(0); done < 90; done += 30 {
		l.Engine.Apply(p)
		l.await("some more variants", func(s campaign.Snapshot) bool { return s.Finished >= done+30 })
		l.stop()
		l.start()
	}
	succeeded(t, l.run(p))
	if n := len(l.records()); n != 127 {
		t.Errorf("%d records, want 127: an interruption is no attempt", n)
	}
}
