package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// TestF54ACampaignIsSimulatedFromTheTerminal needs neither targets nor binaries, and understands taskgen's name.
func TestF54ACampaignIsSimulatedFromTheTerminal(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	file := filepath.Join(l.home, "set.yaml")
	spec := `tasks:
- {name: hello, pkg: absent, priority: 1, periodMilliseconds: 10, executionTimeMilliseconds: 2}
- {name: load, pkg: absent, priority: 0, periodMilliseconds: 20, executionTimeMilliseconds: 4}
sweeps: [{task: hello, attribute: executionTimeMilliseconds, values: [2, 12]}]
`
	if err := os.WriteFile(file, []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	l.genodectl("run", "-f", file, "-s", "simso.SimSoSession", "10.0.0.1", "-o", "csv").want(t, 0, ",hello,1,4,6,", ",load,1,0,4,", "EXIT_PERIOD")
	l.genodectl("run", "-f", file, "--name", "rm", "--class", "SimSo", "--scheduler", "simso.schedulers.RM", "-o", "csv").want(t, 0, ",hello,1,0,2,", ",load,1,2,6,")
	l.genodectl("run", "-f", file, "--name", "late", "--class", "SimSo", "--on-miss", "Continue", "-o", "csv").want(t, 0, ",hello,1,4,16,16,EXIT,0")
	if r := l.genodectl("run", "-f", file, "--name", "odd", "--class", "SimSo", "--scheduler", "SJF"); r.code != 2 || !strings.Contains(r.log, `scheduler: "SJF" is not known; use one of`) {
		t.Errorf("exit %d: %s", r.code, r.log)
	}
	l.genodectl("run", "-t", "example.Hey6", "--class", "SimSo", "-o", "csv").want(t, 0, ",hey-0,1,0,1000,1000,EXIT")
	lacking := filepath.Join(l.home, "lacking.yaml")
	if err := os.WriteFile(lacking, []byte("tasks: [{name: hello, pkg: hey, priority: 1}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.genodectl("run", "-f", lacking, "--class", "SimSo", "-o", "csv").want(t, 1, "Unsupported", "tasks[0] (hello).executionTimeMilliseconds: 0: a simulated job runs as long as that")
}
