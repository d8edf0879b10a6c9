package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

func TestFailuresShowAndAreTriedAgain(t *testing.T) {
	l := newLab(t, 1, faketarget.Options{Job: func(j faketarget.Job) faketarget.Plan {
		if j.Start <= 1 {
			return faketarget.Plan{Milliseconds: faketarget.Endless}
		}
		return faketarget.Plan{}
	}})
	l.run("-t", "example.Hey0", "--timeout", "1", "--retries", "0").want(t, 1, "1 of 1 variants failed")
	l.genodectl("results", "example-hey0", "--where", "!succeeded").want(t, 0, "TimedOut")
	l.genodectl("retry", "example-hey0").want(t, 0, "1/1 variants")
	l.genodectl("retry", "example-hey0").want(t, 2, "no variant of example-hey0 has failed")
}

func TestADryRunPrintsWhatWouldBeSent(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	r := l.genodectl("run", "-t", "example.Hey4", "--dry-run")
	r.want(t, 0, "<id>3</id>", "<config></config>")
	if strings.Contains(r.out, "[===") {
		t.Error("progress is among the output")
	}
	if _, err := os.Stat(filepath.Join(l.home, "state", "genodectl", "results.db")); !os.IsNotExist(err) {
		t.Errorf("a dry run leaves results: %v", err)
	}
}

func TestOutputAndMonitors(t *testing.T) {
	l := newLab(t, 1, faketarget.Options{Job: faketarget.Takes(5)})
	l.run("-t", "example.Hey3", "-m", "stdout.StdOutMonitor").want(t, 0, "task: 0\n", "task: 1\n")
	r := l.run("-t", "example.Hey3", "--fresh", "-o", "jsonl", "-m", "jsonl:notices.jsonl")
	r.want(t, 0)
	var record struct {
		Campaign string `json:"campaign"`
		Jobs     []any  `json:"jobs"`
	}
	if err := json.Unmarshal([]byte(r.out), &record); err != nil || len(record.Jobs) != 2 {
		t.Errorf("results %q: %v", r.out, err)
	}
	notices, err := os.ReadFile(filepath.Join(l.home, "notices.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"Started", "Observed", "Finished"} {
		if !strings.Contains(string(notices), kind) {
			t.Errorf("no notice says %s:\n%s", kind, notices)
		}
	}
}
