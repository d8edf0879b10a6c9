package taskset

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

var now = time.Unix(1_700_000_000, 0).UTC()

func sweepTaskSet() *v1alpha1.TaskSet {
	return &v1alpha1.TaskSet{
		ObjectMeta: metav1.ObjectMeta{Name: "sweep", Namespace: "lab", UID: "u1", Generation: 2},
		Spec: v1alpha1.TaskSetSpec{
			Tasks:      []v1alpha1.Task{{Name: "hello", Pkg: "hey"}},
			Sweeps:     []v1alpha1.Sweep{{Task: "hello", Attribute: "priority", Range: &v1alpha1.IntegerRange{From: ptr.To(int64(1)), To: ptr.To(int64(10)), Step: 1}}},
			Completion: v1alpha1.Completion{JobsPerTask: 1},
			Targets:    v1alpha1.TargetsSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"pool": "arm"}}},
		},
	}
}

func ready(name, address string, is bool) v1alpha1.TargetSession {
	status := metav1.ConditionFalse
	if is {
		status = metav1.ConditionTrue
	}
	return v1alpha1.TargetSession{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "lab"},
		Status:     v1alpha1.TargetSessionStatus{Address: address, Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status}}},
	}
}

// scopeOf makes what observe would have found.
func scopeOf(ts *v1alpha1.TaskSet, change func(*scope)) *scope {
	s := &scope{taskset: ts, before: ts.DeepCopy(), snapshot: campaign.Snapshot{Tally: *campaign.NewTally()}}
	s.plan, s.planErr = campaign.FromSpec(string(ts.UID), "lab/sweep", &ts.Spec)
	if change != nil {
		change(s)
	}
	return s
}

func running(state campaign.State, finished uint64) func(*scope) {
	return func(s *scope) {
		s.running = true
		s.snapshot.State, s.snapshot.Finished, s.snapshot.Total = state, finished, 10
		s.snapshot.Tally.Succeeded = int64(finished)
		s.snapshot.Tally.FirstStart, s.snapshot.Tally.LastEnd = now.Add(-time.Minute), now
		s.targets = []v1alpha1.TargetSession{ready("arm-0", "10.0.0.1", true), ready("arm-1", "", false)}
	}
}

func TestTheSeedIsShownWhenSomethingIsRandom(t *testing.T) {
	ts := sweepTaskSet()
	report(now, scopeOf(ts, nil), plan{})
	if ts.Status.Seed != nil {
		t.Errorf("seed %d of a campaign without draws", *ts.Status.Seed)
	}
	ts.Spec.Seed = ptr.To[int64](42)
	ts.Spec.Draws = []v1alpha1.Draw{{Task: ts.Spec.Tasks[0].Name, Attribute: "caps", Uniform: &v1alpha1.IntegerInterval{From: ptr.To[int64](1), To: ptr.To[int64](9)}}}
	report(now, scopeOf(ts, nil), plan{})
	if ts.Status.Seed == nil || *ts.Status.Seed != 42 {
		t.Errorf("seed %v, want 42", ts.Status.Seed)
	}
}

func TestConditions(t *testing.T) {
	cases := map[string]struct {
		ts   func(*v1alpha1.TaskSet)
		s    func(*scope)
		want map[string]string // condition type to status/reason
	}{
		"a campaign that runs": {
			s:    running(campaign.StateRunning, 3),
			want: map[string]string{"Valid": "True/Ready", "BinariesReady": "True/Found", "Progressing": "True/Running", "Complete": "False/Running", "Ready": "True/Ready"}},
		"earlier results are being read": {
			s:    running(campaign.StateLoading, 0),
			want: map[string]string{"Progressing": "Unknown/Pending", "Ready": "Unknown/Pending"}},
		"no target is ready": {
			s: func(s *scope) {
				running(campaign.StateRunning, 0)(s)
				s.targets = s.targets[1:]
			},
			want: map[string]string{"Progressing": "False/WaitingForTargets", "Ready": "False/WaitingForTargets"}},
		"suspended": {
			s:    running(campaign.StateSuspended, 2),
			want: map[string]string{"Progressing": "False/Suspended", "Complete": "False/Running"}},
		"the store is full": {
			s: func(s *scope) {
				running(campaign.StateRunning, 2)(s)
				s.snapshot.StoreError = "disk full"
			},
			want: map[string]string{"Progressing": "False/StoreUnavailable"}},
		"a binary is missing on the target": {
			s: func(s *scope) {
				running(campaign.StateRunning, 2)(s)
				s.snapshot.Blocked, s.snapshot.BlockedReason = `pkg "hey" of task hello: nowhere`, campaign.BlockedBinary
			},
			want: map[string]string{"BinariesReady": "False/NotFound", "Ready": "False/NotFound"}},
		"stopped": {
			s:    running(campaign.StateStopped, 2),
			want: map[string]string{"Progressing": "False/Suspended", "Complete": "False/Running"}},
		"a target cannot be reset": {
			s: func(s *scope) {
				running(campaign.StateRunning, 2)(s)
				s.snapshot.Blocked, s.snapshot.BlockedReason = "spec.targetReset Restore: no", campaign.BlockedReset
			},
			want: map[string]string{"Progressing": "False/CannotReset", "BinariesReady": "True/Found", "Ready": "False/CannotReset"}},
		"every ready target is in quarantine": {
			s: func(s *scope) {
				running(campaign.StateRunning, 2)(s)
				s.snapshot.Quarantined = []campaign.Quarantined{{Target: "lab/arm-0", Until: now, Reason: campaign.ReasonInUse}}
			},
			want: map[string]string{"Progressing": "False/Quarantined", "Ready": "False/Quarantined"}},
		"a variant runs although targets are in quarantine": {
			s: func(s *scope) {
				running(campaign.StateRunning, 2)(s)
				s.snapshot.Running = 1
				s.snapshot.Quarantined = []campaign.Quarantined{{Target: "lab/arm-0", Until: now, Reason: campaign.ReasonInUse}}
			},
			want: map[string]string{"Progressing": "True/Running"}},
		"the store has the campaign with another spec": {
			s: func(s *scope) {
				running(campaign.StateRefused, 0)(s)
				s.snapshot.Blocked = "campaign u1 is in x with another spec"
			},
			want: map[string]string{"Valid": "False/Invalid", "Ready": "False/Invalid"}},
		"failed variants of a complete campaign are to be run again": {
			ts: func(ts *v1alpha1.TaskSet) {
				ts.Spec.RetryFailed = ptr.To[int64](1)
				for _, kind := range []string{"Complete", "Failed"} {
					meta.SetStatusCondition(&ts.Status.Conditions, metav1.Condition{Type: kind, Status: "True", Reason: "X"})
				}
			},
			s:    running(campaign.StateComplete, 10),
			want: map[string]string{"Complete": "False/Running", "Failed": ""}},
		"and were": {
			ts: func(ts *v1alpha1.TaskSet) { ts.Spec.RetryFailed = ptr.To[int64](1) },
			s: func(s *scope) {
				running(campaign.StateComplete, 10)(s)
				s.snapshot.Retried = 1
			},
			want: map[string]string{"Complete": "True/Finished", "Failed": "", "Ready": "True/Finished"}},
		"a ConfigMap is missing": {
			s:    func(s *scope) { s.binaries = binaries{missing: "spec.binaries[0]", reason: "NotFound"} },
			want: map[string]string{"BinariesReady": "False/NotFound", "Progressing": "False/Pending"}},
		"a download is under way": {
			s:    func(s *scope) { s.binaries = binaries{pending: "spec.binaries[0]"} },
			want: map[string]string{"BinariesReady": "Unknown/Pending", "Ready": "Unknown/Pending"}},
		"everything succeeded": {
			s:    running(campaign.StateComplete, 10),
			want: map[string]string{"Progressing": "False/Finished", "Complete": "True/Finished", "Ready": "True/Finished", "Failed": ""}},
		"a variant failed": {
			s: func(s *scope) {
				running(campaign.StateComplete, 10)(s)
				s.snapshot.Tally.Succeeded, s.snapshot.Tally.Failed = 9, 1
			},
			want: map[string]string{"Complete": "True/Finished", "Failed": "True/VariantsFailed", "Ready": "False/VariantsFailed"}},
		"a sweep over what does not exist": {
			ts:   func(ts *v1alpha1.TaskSet) { ts.Spec.Sweeps[0].Attribute = "colour" },
			want: map[string]string{"Valid": "False/Invalid", "Ready": "False/Invalid"}},
		"analysis has rejected it": {
			ts:   func(ts *v1alpha1.TaskSet) { ts.Spec.Analysis = &v1alpha1.AnalysisSpec{OnFail: "Reject"} },
			s:    func(s *scope) { s.rejected = "spec.analysis does not accept 3 of the first 10 variants" },
			want: map[string]string{"Valid": "True/Ready", "Accepted": "False/NotSchedulable", "Progressing": "False/NotSchedulable", "Complete": "False/NotSchedulable", "Ready": "False/NotSchedulable"}},
		"analysis has accepted it": {
			ts:   func(ts *v1alpha1.TaskSet) { ts.Spec.Analysis = &v1alpha1.AnalysisSpec{OnFail: "Reject"} },
			s:    running(campaign.StateRunning, 2),
			want: map[string]string{"Accepted": "True/Accepted", "Ready": "True/Ready"}},
		"analysis without a rejection": {
			ts:   func(ts *v1alpha1.TaskSet) { ts.Spec.Analysis = &v1alpha1.AnalysisSpec{OnFail: "Skip"} },
			s:    running(campaign.StateRunning, 2),
			want: map[string]string{"Accepted": "", "Ready": "True/Ready"}},
		"an empty selector": {
			ts:   func(ts *v1alpha1.TaskSet) { ts.Spec.Targets.Selector = &metav1.LabelSelector{} },
			want: map[string]string{"Valid": "False/Invalid"}},
		"too many variants": {
			ts: func(ts *v1alpha1.TaskSet) {
				r := &v1alpha1.IntegerRange{From: ptr.To(int64(0)), To: ptr.To(int64(math.MaxInt32)), Step: 1}
				for _, a := range []string{"config.a", "config.b", "config.c"} {
					ts.Spec.Sweeps = append(ts.Spec.Sweeps, v1alpha1.Sweep{Task: "hello", Attribute: a, Range: r})
				}
			},
			want: map[string]string{"Valid": "False/Invalid"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ts := sweepTaskSet()
			if tc.ts != nil {
				tc.ts(ts)
			}
			s := scopeOf(ts, tc.s)
			report(now, s, decide(now, s))
			got := map[string]string{}
			for kind := range tc.want {
				if c := meta.FindStatusCondition(ts.Status.Conditions, kind); c != nil {
					got[kind] = string(c.Status) + "/" + c.Reason
					if c.ObservedGeneration != 2 || c.Message == "" {
						t.Errorf("%s: observedGeneration %d, message %q", kind, c.ObservedGeneration, c.Message)
					}
				} else {
					got[kind] = ""
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAQuarantineIsToldOnce(t *testing.T) {
	ts := sweepTaskSet()
	quarantined := func(s *scope) {
		running(campaign.StateRunning, 2)(s)
		s.snapshot.Quarantined = []campaign.Quarantined{{Target: "lab/arm-0", Until: now.Add(time.Minute), Reason: campaign.ReasonTimedOut}}
		s.snapshot.Skipped = 3
	}
	told := func() (out []string) {
		s := scopeOf(ts, quarantined)
		for _, e := range report(now, s, decide(now, s)) {
			if e.Reason == "TargetQuarantined" {
				out = append(out, e.Note)
			}
		}
		return out
	}
	want := []string{"Target arm-0 gets no variant until 2023-11-14T22:14:20Z: TimedOut"}
	if diff := cmp.Diff(want, told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if again := told(); len(again) != 0 {
		t.Errorf("told again: %v", again)
	}
	if got := ts.Status; len(got.QuarantinedTargets) != 1 || got.Variants.Skipped != 3 || got.Progress != "5/10" {
		t.Errorf("status: %+v, %+v, progress %s", got.QuarantinedTargets, got.Variants, got.Progress)
	}
}

func TestDecide(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return ptr.To(metav1.NewTime(now.Add(d))) }
	cases := map[string]struct {
		ts    func(*v1alpha1.TaskSet)
		s     func(*scope)
		check func(t *testing.T, p plan)
	}{
		"a new campaign starts": {check: func(t *testing.T, p plan) {
			if p.run == nil || p.run.ID != "u1" || p.run.Total != 10 || p.run.Retries != 3 {
				t.Errorf("plan %+v", p.run)
			}
		}},
		"targets without an address are left out": {s: running(campaign.StateRunning, 0), check: func(t *testing.T, p plan) {
			if len(p.run.Targets) != 1 || p.run.Targets[0].Name != "lab/arm-0" || p.run.Targets[0].Address != "10.0.0.1:3001" || p.run.Targets[0].Generation != "Auto" {
				t.Errorf("targets %+v", p.run.Targets)
			}
		}},
		"nothing starts before its binaries are there": {s: func(s *scope) { s.binaries.pending = "x" }, check: func(t *testing.T, p plan) {
			if p.run != nil || p.wake != now.Add(lookAgain) {
				t.Errorf("plan %+v", p)
			}
		}},
		"a complete campaign leaves the engine": {s: running(campaign.StateComplete, 10), check: func(t *testing.T, p plan) {
			if p.run != nil || !p.forget {
				t.Errorf("plan %+v", p)
			}
		}},
		"a campaign whose failed variants are to be run again goes into the engine": {ts: func(ts *v1alpha1.TaskSet) {
			meta.SetStatusCondition(&ts.Status.Conditions, metav1.Condition{Type: "Complete", Status: "True", Reason: "Finished"})
			ts.Spec.RetryFailed, ts.Status.RetriedFailed = ptr.To[int64](2), 1
		}, check: func(t *testing.T, p plan) {
			if p.run == nil || p.run.Retry != 2 || p.forget {
				t.Errorf("plan %+v", p)
			}
		}},
		"a finished TaskSet lives until its time": {ts: func(ts *v1alpha1.TaskSet) {
			meta.SetStatusCondition(&ts.Status.Conditions, metav1.Condition{Type: "Complete", Status: "True", Reason: "Finished"})
			ts.Spec.TTLSecondsAfterFinished, ts.Status.CompletionTime = ptr.To(int32(60)), at(-59*time.Second)
		}, check: func(t *testing.T, p plan) {
			if p.expired || p.wake != now.Add(time.Second) {
				t.Errorf("plan %+v", p)
			}
		}},
		"and no longer": {ts: func(ts *v1alpha1.TaskSet) {
			meta.SetStatusCondition(&ts.Status.Conditions, metav1.Condition{Type: "Complete", Status: "True", Reason: "Finished"})
			ts.Spec.TTLSecondsAfterFinished, ts.Status.CompletionTime = ptr.To(int32(60)), at(-60*time.Second)
		}, check: func(t *testing.T, p plan) {
			if !p.expired {
				t.Errorf("plan %+v", p)
			}
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ts := sweepTaskSet()
			if tc.ts != nil {
				tc.ts(ts)
			}
			tc.check(t, decide(now, scopeOf(ts, tc.s)))
		})
	}
}

// Everything that can grow is filled to its limit.
func TestTheFullestStatusIsSmall(t *testing.T) {
	ts := sweepTaskSet()
	long := strings.Repeat("é", 400)
	tally := campaign.NewTally()
	ts.Spec.Tasks = nil
	for i := range 100 {
		name := strings.Repeat("n", 30) + string([]byte{'a' + byte(i/26), 'a' + byte(i%26)})
		ts.Spec.Tasks = append(ts.Spec.Tasks, v1alpha1.Task{Name: name, Pkg: "hey", Config: &apiextensionsv1.JSON{Raw: []byte("{}")}})
		r := results.Record{Variant: math.MaxInt64, Attempt: math.MaxInt32, Final: true, Succeeded: i%2 == 0, Reason: strings.Repeat("R", 64), Message: long,
			Target: "lab/" + strings.Repeat("t", 63), AfterRecovery: "Relaunch", Started: now, Ended: now.Add(time.Hour),
			Jobs: []results.Job{{Task: name, Number: math.MaxInt32, Start: ptr.To(int64(math.MinInt64)), End: ptr.To(int64(math.MaxInt64)), Outcome: strings.Repeat("O", 32)}}}
		tally.Add(r)
		tally.Tasks[name] = &campaign.TaskTally{Jobs: math.MaxInt64, Failed: math.MaxInt64, Measured: 1, Min: math.MaxInt64, Max: math.MaxInt64, Sum: math.MaxInt64 - 1}
	}
	ts.Spec.Sweeps = nil
	s := scopeOf(ts, func(s *scope) {
		s.running = true
		s.snapshot = campaign.Snapshot{State: campaign.StateComplete, Total: math.MaxInt64, Finished: math.MaxInt64, Running: math.MaxInt32, Tally: *tally,
			StoreError: long, Blocked: long, Reference: strings.Repeat("r", 512)}
		for range campaign.MaxQuarantined {
			s.snapshot.Quarantined = append(s.snapshot.Quarantined, campaign.Quarantined{Target: "lab/" + strings.Repeat("t", 63), Until: now, Reason: strings.Repeat("R", 64)})
		}
		s.snapshot.Tally.Failed = math.MaxInt64
	})
	for i := range 8 - 6 {
		meta.SetStatusCondition(&ts.Status.Conditions, metav1.Condition{Type: strings.Repeat("C", 40) + string(rune('a'+i)), Status: "Unknown", Reason: strings.Repeat("R", 40), Message: strings.Repeat("m", 512)})
	}
	report(now, s, decide(now, s))
	if len(ts.Status.Tasks) != maxTasks || len(ts.Status.RecentJobs) != campaign.MaxRecentJobs || len(ts.Status.RecentFailures) != campaign.MaxRecentFailures {
		t.Fatalf("%d tasks, %d jobs, %d failures: the test does not fill the status", len(ts.Status.Tasks), len(ts.Status.RecentJobs), len(ts.Status.RecentFailures))
	}
	out, err := json.Marshal(ts.Status)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the fullest status has %d bytes", len(out))
	if len(out) >= 32<<10 {
		t.Errorf("the fullest status has %d bytes, want less than 32 KiB", len(out))
	}
}
