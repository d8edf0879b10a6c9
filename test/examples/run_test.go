package examples

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// most is how many variants of a campaign are run here.
const most = 40

// scaleDown makes a campaign short enough for a test, by its own means, and says how.
func scaleDown(t *testing.T, spec *v1alpha1.TaskSetSpec, variants uint64) {
	t.Helper()
	if spec.Repeat > 2 {
		t.Logf("spec.repeat: 2 instead of %d", spec.Repeat)
		variants = variants / uint64(spec.Repeat) * 2
		spec.Repeat = 2
	}
	if variants > most {
		count := int64(most / max(spec.Repeat, 1))
		t.Logf("spec.sample.count: %d", count)
		spec.Sample = &v1alpha1.Sample{Count: count}
	}
}

// example says how a campaign is run here, and what has to come out.
type example struct {
	generation string // default 1608b
	perMS      int64  // of config.arg1
	skipped    bool   // whether spec.where leaves out variants
	check      func(t *testing.T, o outcome, answers [][][]string)
}

func TestTheExamplesRun(t *testing.T) {
	examples := map[string]example{
		"priorities":             {check: prioritiesInOrder},
		"linpack-feasibility":    {perMS: 1, check: labelsFollowTheLoad},
		"mixed-feasibility":      {perMS: 10_000, check: bothLabels},
		"toolchain-timing":       {perMS: 1000, check: everyBinaryTimed},
		"edf-against-priorities": {perMS: 5000, check: bothPolicies},
		"overload-fairness":      {perMS: 5000},
		"overload-utilization":   {perMS: 5000},
		"rate-monotonic":         {perMS: 5000, skipped: true},
		"many-variants":          {perMS: 1000},
		"many-tasks":             {perMS: 1},
		"random-100":             {perMS: 100},
		"on-boards":              {perMS: 1_000_000},
	}
	all, queries := samples(t), queriesOfThePage(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			spec, e := all[name], examples[name]
			if e.perMS == 0 {
				e.perMS = 1
			}
			before, err := campaign.FromSpec(name, name, spec)
			if err != nil {
				t.Fatal(err)
			}
			scaleDown(t, spec, before.Total)
			o := run(t, name, spec, 4, faketarget.Options{Generation: e.generation, Job: busy(e.perMS), Quiet: true})
			checkRecords(t, o, e.skipped)
			var answers [][][]string
			for _, query := range queries[name] {
				rows := o.rows(t, query)
				if len(rows) == 0 {
					t.Errorf("no row from\n%s", query)
				}
				answers = append(answers, rows)
			}
			if e.check != nil {
				e.check(t, o, answers)
			}
		})
	}
	for name := range examples {
		if all[name] == nil {
			t.Errorf("there is no campaign %s", name)
		}
	}
}

// checkRecords: each variant that is not left out succeeded once.
func checkRecords(t *testing.T, o outcome, skips bool) {
	t.Helper()
	admitted := map[string]bool{}
	for n := range o.plan.Total {
		in, err := admits(o.plan, n)
		if err != nil {
			t.Fatal(err)
		}
		if in {
			admitted[strconv.FormatUint(n, 10)] = true
		}
	}
	if len(admitted) == 0 || skips != (uint64(len(admitted)) < o.plan.Total) {
		t.Errorf("%d of %d variants are to be run", len(admitted), o.plan.Total)
	}
	for _, row := range o.rows(t, `SELECT variant, sum(final), sum(succeeded), max(reason || ' ' || message) FROM records WHERE campaign = :uid GROUP BY variant`) {
		if !admitted[row[0]] || row[1] != "1" || row[2] != "1" {
			t.Errorf("variant %s: %s final records, %s succeeded: %s", row[0], row[1], row[2], row[3])
		}
		delete(admitted, row[0])
	}
	if len(admitted) > 0 {
		t.Errorf("%d variants have no record", len(admitted))
	}
}

// queriesOfThePage are the SQL blocks of docs/campaigns-by-example.md by the name of the campaign that the
// line "campaign NAME" before them names.
func queriesOfThePage(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/campaigns-by-example.md"))
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string][]string{}
	for i, block := range strings.Split(string(text), "\n```sql\n") {
		if i == 0 {
			continue
		}
		query, _, _ := strings.Cut(block, "\n```")
		first, _, _ := strings.Cut(query, "\n")
		names, isComment := strings.CutPrefix(first, "-- ")
		if !isComment {
			t.Fatalf("the query does not begin with a comment that names its campaigns:\n%s", query)
		}
		for _, name := range strings.Split(names, ", ") {
			queries[name] = append(queries[name], query)
		}
	}
	return queries
}

func prioritiesInOrder(t *testing.T, o outcome, _ [][][]string) {
	for n := range o.plan.Total {
		tasks, err := o.plan.Space.At(n)
		if err != nil || len(tasks) != 1 || tasks[0].Pkg != "hey" {
			t.Errorf("variant %d: %+v, %v", n, tasks, err)
		}
	}
}

// labelsFollowTheLoad: on these targets a job takes as many milliseconds as its argument.
func labelsFollowTheLoad(t *testing.T, _ outcome, answers [][][]string) {
	labels := map[string]int{}
	for _, row := range answers[0] { // variant, arg1, critical, pass
		arg, critical := number(t, row[1]), number(t, row[2])
		want := "0"
		if max(arg, 1) < critical {
			want = "1"
		}
		if arg != critical && row[3] != want {
			t.Errorf("variant %s: %d of %d ms: pass %s", row[0], arg, critical, row[3])
		}
		labels[row[3]]++
	}
	if labels["0"] == 0 || labels["1"] == 0 {
		t.Errorf("labels %v", labels)
	}
}

func bothLabels(t *testing.T, _ outcome, answers [][][]string) {
	labels := map[string]int{}
	for _, row := range answers[0] {
		labels[row[len(row)-1]]++
	}
	if labels["0"] == 0 || labels["1"] == 0 {
		t.Errorf("labels %v", labels)
	}
}

// everyBinaryTimed, on a target that was booted for each run.
func everyBinaryTimed(t *testing.T, o outcome, answers [][][]string) {
	if len(answers[0]) != 8 {
		t.Errorf("%d binaries: %v", len(answers[0]), answers[0])
	}
	boots := o.rows(t, `SELECT DISTINCT target, incarnation FROM records WHERE campaign = :uid AND final`)
	if uint64(len(boots)) != o.plan.Total {
		t.Errorf("%d boots for %d runs", len(boots), o.plan.Total)
	}
}

func bothPolicies(t *testing.T, _ outcome, answers [][][]string) {
	policies := map[string]bool{}
	for _, row := range answers[0] {
		policies[row[0]] = true
	}
	if !policies["EDF"] || !policies["fixed priority"] {
		t.Errorf("policies %v", policies)
	}
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// admits reports whether the campaign runs a variant.
func admits(p campaign.Plan, n uint64) (bool, error) {
	if c, is := p.Space.(campaign.Constraint); is && c.Constrained() {
		return c.Admits(n)
	}
	return true, nil
}
