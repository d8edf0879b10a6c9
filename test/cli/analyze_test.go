package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// TestF52AndF53RecordedVerdictsAreRepeated: every key of every line, what was simulated included.
func TestF52AndF53RecordedVerdictsAreRepeated(t *testing.T) {
	file, err := filepath.Abs("../../internal/sim/analysis/testdata/golden.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := newLab(t, 0, faketarget.Options{}).genodectl("analyze", "--golden-jsonl", file)
	r.want(t, 0)
	want, got := strings.Split(strings.TrimSpace(string(text)), "\n"), strings.Split(strings.TrimSpace(r.out), "\n")
	if len(want) != len(got) || len(want) < 60 {
		t.Fatalf("%d lines for %d task-sets", len(got), len(want))
	}
	for i := range want {
		var recorded, said map[string]any
		if err := json.Unmarshal([]byte(want[i]), &recorded); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(got[i]), &said); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(recorded, said); diff != "" {
			t.Errorf("line %d (-recorded +said):\n%s", i+1, diff)
		}
	}
}

func TestAnalyzeFromTheCommandLine(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.write("classic.json", classic)
	l.write("dense.yaml", dense)
	l.write("taskset.yaml", periods)
	l.write("chain.yaml", "tasks: [{name: a, period: 5, wcet: 1, follower: b}, {name: b, kind: Aperiodic, wcet: 1}]")
	l.write("fast.yaml", "{cpus: [{speed: 2}], tasks: [{period: 5, wcet: 1}]}")
	l.write("sets.jsonl", "{\"id\":\"x\",\"cpus\":1,\"tasks\":[[3,7,7],[3,12,12],[5,20,20]]}\n{\"tasks\":[[1,2]]}\n{\"tasks\":[]}\n")
	for line, want := range map[string]struct {
		code int
		says []string
	}{
		"-f classic.json":                            {0, []string{"RTA        FP                yes", "c     5     20      20        20", "utilization 0.9286 of 1"}},
		"-f dense.yaml --test LL,rta":                {0, []string{"LL    RM   no       sufficient", "RTA   FP   no       exact"}},
		"-f dense.yaml --test QPA --strict":          {0, []string{"QPA   EDF  yes"}},
		"-f dense.yaml --test RTA --strict":          {1, []string{"RTA   FP   no"}},
		"-f dense.yaml --test GFB --cpus 2 --strict": {0, []string{"of 2"}},
		"-f taskset.yaml --test RTA":                 {0, []string{"a     4     10      10        4", "b     5     20      20        9"}},
		"-f taskset.yaml --variant 1 --test RTA":     {0, []string{"b     5     20      20"}},
		"-f chain.yaml":                              {2, []string{`tasks[1].kind: "Aperiodic": nothing bounds`}},
		"-f fast.yaml":                               {2, []string{`cpus[0].speed: "2/1": tests are for processors of speed 1`}},
		"-f dense.yaml --test XYZ":                   {2, []string{`test: "XYZ" is not known; use one of LL, HB`}},
		"-f dense.yaml -o xml":                       {2, []string{`-o "xml": use table or json`}},
		"-f dense.yaml --cpus 0":                     {2, []string{"--cpus 0: use 1 to 1024"}},
		"":                                           {2, []string{"what shall be analysed?"}},
		"dense.yaml":                                 {2, []string{"with -f"}},
		"--golden-jsonl sets.jsonl":                  {2, []string{`{"id":"x","cpus":1`, `"rta":[3,6,20]`, "sets.jsonl:2: invalid system: tasks[0]: a list: must be an execution time", "sets.jsonl:3: invalid system: tasks: a list: add a task"}},
		"--golden-jsonl gone.jsonl":                  {2, []string{"gone.jsonl"}},
		"--help":                                     {0, []string{"Left out is bar", "Examples:"}},
	} {
		t.Run(line, func(t *testing.T) {
			l.genodectl(append([]string{"analyze"}, strings.Fields(line)...)...).want(t, want.code, want.says...)
		})
	}
	l.genodectl("__complete", "analyze", "--test", "").want(t, 0, "QPA\tEDF")
}
