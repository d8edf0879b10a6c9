package parity

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/genode-operator/genode-operator/internal/campaign/local"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
)

// TestF30TheSameCampaignOnASimulator: execution times and deadlines count, stamps are milliseconds, aborts are not taken
// for ends, and a session simulates any number of variants. taskgen knew none of it.
func TestF30TheSameCampaignOnASimulator(t *testing.T) {
	store, err := results.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := newLab(t).plan(`
tasks:
- {name: hello, pkg: hey, priority: 1, periodMilliseconds: 10, executionTimeMilliseconds: 1, deadlineMilliseconds: 5}
- {name: load, pkg: pi, priority: 2, periodMilliseconds: 20, executionTimeMilliseconds: 6, criticalTimeMilliseconds: 12}
sweeps: [{task: hello, attribute: executionTimeMilliseconds, range: {from: 1, to: 8}}]
completion: {jobsPerTask: 2}
`)
	if _, err := local.Run(t.Context(), local.Options{
		Plan: p, Class: session.Classes{"SimSo": simso.New(simso.Options{})}, ClassName: "SimSo", Store: store,
		Fixed: []session.Target{{Name: "simulation", Class: "SimSo"}},
	}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = store.Each(t.Context(), "c", func(r results.Record) error {
		seen++
		c := int64(r.Variant) + 1 // ms
		load := fmt.Sprint("load 1: ", c, " to ", c+6, " EXIT")
		if c > 4 { // hello runs again before load is done, and load is killed
			load = fmt.Sprint("load 1: ", c, " to 12 EXIT_CRITICAL")
		}
		want := fmt.Sprint("hello 1: 0 to ", c, " EXIT; ", load)
		got := ""
		for _, j := range r.Jobs {
			if j.Number == 1 && j.Start != nil && j.End != nil {
				got += fmt.Sprintf("%s 1: %d to %d %s; ", j.Task, *j.Start, *j.End, j.Outcome)
			}
		}
		if want += "; "; got != want || len(r.Jobs) != 4 || !r.Succeeded {
			t.Errorf("variant %d: %s%d jobs, want %s", r.Variant, got, len(r.Jobs), want)
		}
		return nil
	})
	if err != nil || seen != 8 {
		t.Errorf("%d records: %v", seen, err)
	}
}
