package addresses

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

// simulated has 3000 variants of 40 jobs that take random times.
const simulated = `
tasks:
- {name: hello, pkg: hey, priority: 1, periodMilliseconds: 10, executionTimeMilliseconds: 1}
- {name: load, pkg: pi, priority: 2, periodMilliseconds: 20, executionTimeMilliseconds: 10}
sweeps: [{task: hello, attribute: executionTimeMilliseconds, range: {from: 1, to: 10}}]
repeat: 300
seed: 7
completion: {jobsPerTask: 20}
targets: {selector: {matchLabels: {lab: planning}}}
`

func (l *lab) simulation(name string) {
	l.Helper()
	l.Make(&v1alpha1.TargetPool{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.Namespace},
		Spec: v1alpha1.TargetPoolSpec{Replicas: new(int32(2)), Template: v1alpha1.TargetSessionTemplate{
			Metadata: v1alpha1.TemplateMetadata{Labels: map[string]string{"lab": "planning"}},
			Spec:     v1alpha1.TargetSessionSpec{Class: v1alpha1.ClassSimSo, SimSo: &v1alpha1.SimSoTarget{LeastExecutionPercent: 10}},
		}},
	})
	ts := &v1alpha1.TaskSet{ObjectMeta: metav1.ObjectMeta{Name: "hey6", Namespace: l.Namespace}}
	if err := yaml.UnmarshalStrict([]byte(simulated), &ts.Spec); err != nil {
		l.Fatal(err)
	}
	l.Make(ts)
}

// outcomes are the jobs of each variant, which has to have one record.
func (l *lab) outcomes(ts *v1alpha1.TaskSet) map[uint64]string {
	l.Helper()
	all := map[uint64]string{}
	l.each(ts, func(r results.Record) {
		if all[r.Variant] != "" || !r.Succeeded || r.HostClass != "SimSo" || len(r.Jobs) != 40 {
			l.Errorf("variant %d, attempt %d: %s, %d jobs on %s", r.Variant, r.Attempt, r.Message, len(r.Jobs), r.HostClass)
		}
		for _, j := range r.Jobs {
			start, end := int64(-1), int64(-1)
			if j.Start != nil {
				start = *j.Start
			}
			if j.End != nil {
				end = *j.End
			}
			all[r.Variant] += fmt.Sprint(j.Task, j.Number, start, end, j.Outcome, " ")
		}
	})
	return all
}

func (l *lab) recorded() (n int) {
	l.Helper()
	l.each(testenv.Fetch(l.Lab, "hey6", &v1alpha1.TaskSet{}), func(results.Record) { n++ })
	return n
}

// TestF54ACampaignOnSimulatedTargetsGoesOn ends the manager in the middle of a campaign: the one that follows goes on, and
// the records are those of a campaign that nobody has disturbed.
func TestF54ACampaignOnSimulatedTargetsGoesOn(t *testing.T) {
	const total = 3000
	l := newLab(t)
	l.simulation("sim")
	l.Until("some records", func() bool { return l.recorded() > 0 }, nil)
	l.stop()
	if n := l.recorded(); n >= total {
		t.Fatalf("all %d variants were over before the manager was", n)
	}
	l.manage()
	disturbed := l.outcomes(l.complete(total))
	other := newLab(t)
	other.simulation("sim")
	if diff := cmp.Diff(other.outcomes(other.complete(total)), disturbed); diff != "" {
		t.Errorf("records (-undisturbed +disturbed):\n%s", diff)
	}
}
