package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// fivefold makes the sample five times as fast: its fake targets live in real time.
var fivefold = strings.NewReplacer(
	"periodMilliseconds: 500", "periodMilliseconds: 100", "periodMilliseconds: 1000", "periodMilliseconds: 200",
	"executionTimeMilliseconds: 40", "executionTimeMilliseconds: 8", "executionTimeMilliseconds: 200", "executionTimeMilliseconds: 40",
	"values: [200, 400]", "values: [40, 80]", "jobsPerTask: 3", "jobsPerTask: 2",
)

// TestTheDifferentialSampleFromTheTerminal runs the campaign of config/samples/differential in the simulator and on fake
// targets, and compares the two.
func TestTheDifferentialSampleFromTheTerminal(t *testing.T) {
	sample, err := os.ReadFile("../../config/samples/differential/measured.yaml")
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, 2, faketarget.Options{Job: faketarget.Takes(1)})
	file, other := filepath.Join(l.home, "sample.yaml"), filepath.Join(l.home, "other.yaml")
	for path, text := range map[string]string{file: fivefold.Replace(string(sample)), other: "tasks: [{name: a, pkg: hey, executionTimeMilliseconds: 1}]\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.genodectl("run", "-f", file, "--name", "simulated", "--class", "SimSo").want(t, 0)
	l.genodectl(append([]string{"run", "-f", file, "--name", "measured"}, l.targetFlags(2)...)...).want(t, 0)
	got := l.genodectl("compare", "simulated", "measured")
	got.want(t, 0, "VARIANT", "MEASURED")
	// In variants 0 and 1 hello is more urgent than load, which takes 40 and 80 ms; in 2 and 3 it waits for it.
	for _, want := range []string{"0 hello 100 8 8 agree", "1 load 200 88 88 agree", "2 hello 100 48 48 agree", "3 load 200 80 80 agree"} {
		if !strings.Contains(joined(got.out), want) {
			t.Errorf("no row %s in\n%s", want, got.out)
		}
	}
	l.genodectl("compare", "simulated", "measured", "-o", "html").want(t, 0, "<html", "simulated and measured")

	slow := newLab(t, 1, faketarget.Options{Job: faketarget.Takes(20)})
	slow.home, slow.binaries = l.home, l.binaries
	slow.genodectl(append([]string{"run", "-f", file, "--name", "slow"}, slow.targetFlags(1)...)...).want(t, 0)
	got = slow.genodectl("compare", "simulated", "slow")
	if got.want(t, 1); !strings.Contains(joined(got.out), "0 hello 100 8 8 measured above bound") {
		t.Errorf("the slow target is no worse:\n%s", got.out)
	}

	l.genodectl("run", "-f", other, "--name", "other", "--class", "SimSo").want(t, 0)
	l.genodectl("compare", "simulated", "other").want(t, 2, "do not have the same variants; run both from one file, with one --seed")
	l.genodectl("compare", "simulated", "gone").want(t, 2, `there is no campaign "gone"`)
	l.genodectl("compare", "simulated", "measured", "-o", "csv").want(t, 2, `-o "csv": use table or html`)
}

// joined is a table with single blanks and without what was measured, which depends on the machine.
func joined(table string) string {
	var out []string
	for line := range strings.Lines(table) {
		if cells := strings.Fields(line); len(cells) > 6 {
			out = append(out, strings.Join(append(cells[:5:5], cells[6:]...), " "))
		}
	}
	return strings.Join(out, "\n")
}
