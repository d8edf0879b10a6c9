package campaign

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
	"github.com/genode-operator/genode-operator/internal/taskset/schedulability"
)

// analysed has six variants: load takes 1, 4, 7, 10, 13 and 16 ms of every 20 ms, of which hello takes 8 at a higher priority.
const analysed = `
tasks:
- {name: hello, pkg: hey, priority: 1, periodMilliseconds: 10, executionTimeMilliseconds: 4}
- {name: load, pkg: hey, priority: 2, periodMilliseconds: 20, executionTimeMilliseconds: 1}
sweeps: [{task: load, attribute: executionTimeMilliseconds, values: [1, 4, 7, 10, 13, 16]}]
completion: {jobsPerTask: 4}
`

// simulate runs a spec on a simulated target with these settings.
func simulate(t *testing.T, s results.Store, spec string, settings simso.Settings) (*Engine, func(), Plan) {
	t.Helper()
	var read v1alpha1.TaskSetSpec
	if err := yaml.UnmarshalStrict([]byte(spec), &read); err != nil {
		t.Fatal(err)
	}
	p, err := FromSpec("c", "ns/c", &read)
	if err != nil {
		t.Fatal(err)
	}
	p.Targets = []session.Target{{Name: "sim", Class: "SimSo", Settings: settings}}
	p.Binaries = map[string]session.Binary{"hey": {Name: "hey"}}
	e, stop := startWith(t, Options{Store: s, Class: simso.New(simso.Options{}), Fleet: &fakes{}})
	e.Apply(p)
	return e, stop, p
}

func TestVerdictsStandInTheRecords(t *testing.T) {
	s := store(t)
	e, _, _ := simulate(t, s, analysed+"analysis: {}\n", simso.Settings{})
	snap := await(t, e, "c", "completion", complete)
	if diff := cmp.Diff(AnalysisTally{Accepted: 4, Rejected: 2}, snap.Tally.Analysis); diff != "" {
		t.Errorf("tally (-want +got):\n%s", diff)
	}
	for n, r := range finals(t, s, "c") {
		var v schedulability.Verdict
		if err := json.Unmarshal([]byte(r.Analysis), &v); err != nil {
			t.Fatal(err)
		}
		if v.Policy != "FP" || v.Schedulable != (n < 4) || v.Tests["RTA"] == "" || v.Bounds["hello"] != 4 || !r.Succeeded {
			t.Errorf("variant %d: %s", n, r.Analysis)
		}
	}
}

// TestDisagreementsAreCounted: the target takes large numbers for urgent, so that hello waits for load.
func TestDisagreementsAreCounted(t *testing.T) {
	s := store(t)
	e, stop, p := simulate(t, s, analysed+"analysis: {tests: [RTA]}\n", simso.Settings{Scheduler: "FP"})
	snap := await(t, e, "c", "completion", complete)
	want := AnalysisTally{Accepted: 4, Rejected: 2, Disagreements: 6}
	got := snap.Tally.Analysis
	newest := got.Newest
	if got.Newest = ""; got != want || !strings.HasPrefix(newest, "variant 5: task hello, job 1 took ") {
		t.Errorf("%+v, newest: %s", got, newest)
	}
	if r := finals(t, s, "c")[2]; !strings.Contains(r.Analysis, `"disagreement":"task hello, job 1 missed its deadline of 10 ms`) {
		t.Errorf("variant 2: %s", r.Analysis)
	}
	stop()
	again, _ := startWith(t, Options{Store: s, Class: simso.New(simso.Options{}), Fleet: &fakes{}})
	again.Apply(p)
	if after := await(t, again, "c", "completion", complete).Tally.Analysis; after != snap.Tally.Analysis {
		t.Errorf("after a restart: %+v", after)
	}
}

func TestWhatNoTestAcceptsIsSkipped(t *testing.T) {
	s := store(t)
	e, _, _ := simulate(t, s, analysed+"analysis: {onFail: Skip}\n", simso.Settings{})
	snap := await(t, e, "c", "completion", complete)
	if snap.Skipped != 2 || snap.Finished != 4 || snap.Tally.Succeeded != 4 || snap.Tally.Failed != 0 || len(snap.Tally.RecentFailures) != 0 {
		t.Errorf("%d skipped, %d finished, %+v", snap.Skipped, snap.Finished, snap.Tally)
	}
	r := finals(t, s, "c")[4]
	if r.Reason != ReasonNotSchedulable || r.Succeeded || len(r.Jobs) != 0 ||
		r.Message != "no test says that all deadlines are met under FP (RTA: no)" {
		t.Errorf("record %+v", r)
	}
	if n, err := e.Retry(t.Context(), "c"); err != nil || n != 0 {
		t.Errorf("%d variants are tried again: %v", n, err)
	}
}

func TestACampaignIsRejectedBeforeItRuns(t *testing.T) {
	var spec v1alpha1.TaskSetSpec
	if err := yaml.UnmarshalStrict([]byte(analysed+"repeat: 1000\nwhere: ['tasks.load.executionTimeMilliseconds != 16']\nanalysis: {onFail: Reject}\n"), &spec); err != nil {
		t.Fatal(err)
	}
	p, err := FromSpec("c", "ns/c", &spec)
	if err != nil {
		t.Fatal(err)
	}
	const want = "spec.analysis does not accept 166 of the first 1000 variants, such as 4, 10, 16, 22, 28: no test says that all deadlines are met under FP (RTA: no); " +
		"leave them out with spec.where, or set spec.analysis.onFail to Record or Skip"
	if got := p.Rejection(t.Context()); got != want {
		t.Errorf("rejection: %s", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := p.Rejection(ended); got != "" {
		t.Errorf("after no look: %s", got)
	}
	p.Analysis.OnFail = FailSkip
	if got := p.Rejection(t.Context()); got != "" {
		t.Errorf("of a campaign that skips: %s", got)
	}
}
