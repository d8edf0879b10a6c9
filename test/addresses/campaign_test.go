package addresses

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

// hey6 is one job of hey with each of the 127 priorities, as the task-set example.Hey6 has it.
const hey6 = `
blocks:
- alternatives: [{use: hey.HelloWorld}]
- alternatives: [{use: priority.Variants}]
- alternatives: [{use: period.Value, argument: 0}]
order: Taskgen
binaries: [{name: hey, configMap: binaries}]
targets: {selector: {matchLabels: {lab: boards}}}
`

func TestACampaignRunsOnAPoolOfAddresses(t *testing.T) {
	l := newLab(t)
	for n := 1; n <= 8; n++ {
		l.board(n, faketarget.Options{Job: faketarget.Takes(10), Quiet: true})
	}
	l.Make(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "binaries", Namespace: l.Namespace}, BinaryData: map[string][]byte{"hey": []byte("\x7fELF hey")}})
	ts := &v1alpha1.TaskSet{ObjectMeta: metav1.ObjectMeta{Name: "hey6", Namespace: l.Namespace}}
	if err := yaml.UnmarshalStrict([]byte(hey6), &ts.Spec); err != nil {
		t.Fatal(err)
	}
	l.Make(ts)
	l.pool("boards", v1alpha1.ClassGenode, l.at(1)+"-"+l.at(8))
	done := testenv.Await(l.Lab, "hey6", &v1alpha1.TaskSet{}, "completion", func(ts *v1alpha1.TaskSet) bool {
		return meta.IsStatusConditionTrue(ts.Status.Conditions, v1alpha1.ConditionComplete)
	})
	if v := done.Status.Variants; v == nil || v.Total != "127" || v.Succeeded != 127 || v.Failed != 0 {
		t.Errorf("variants %+v", v)
	}
	records, targets := map[uint64]int{}, map[string]int{}
	if err := l.store.Each(t.Context(), string(done.UID), func(r results.Record) error {
		records[r.Variant]++
		targets[r.Target]++
		if !r.Final || !r.Succeeded || len(r.Jobs) != 1 || r.HostClass != "Genode" || r.Generation != "1608b" {
			t.Errorf("record %+v", r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(127) {
		if records[n] != 1 {
			t.Errorf("variant %d has %d records", n, records[n])
		}
	}
	if len(records) != 127 || len(targets) < 2 {
		t.Errorf("%d variants on %v", len(records), targets)
	}
}

func TestACampaignGoesOnWhenATargetIsLost(t *testing.T) {
	l := newLab(t)
	frozen := l.board(1, faketarget.Options{Job: faketarget.Takes(20), Quiet: true})
	l.board(2, faketarget.Options{Job: faketarget.Takes(20), Quiet: true})
	l.Make(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "binaries", Namespace: l.Namespace}, BinaryData: map[string][]byte{"hey": []byte("\x7fELF hey")}})
	ts := &v1alpha1.TaskSet{ObjectMeta: metav1.ObjectMeta{Name: "hey6", Namespace: l.Namespace}}
	if err := yaml.UnmarshalStrict([]byte(hey6), &ts.Spec); err != nil {
		t.Fatal(err)
	}
	l.pool("boards", v1alpha1.ClassPing, l.at(1), l.at(2))
	l.awaitTargets("boards", map[string]string{l.at(1): up, l.at(2): up})
	l.Make(ts)
	testenv.Await(l.Lab, "hey6", &v1alpha1.TaskSet{}, "progress", func(ts *v1alpha1.TaskSet) bool { return ts.Status.Variants != nil && ts.Status.Variants.Succeeded > 5 })
	frozen.Hang()
	l.fog.hide(l.at(1), true) // a frozen board answers no ping either
	l.awaitTargets("boards", map[string]string{l.at(1): silent, l.at(2): up})
	done := testenv.Await(l.Lab, "hey6", &v1alpha1.TaskSet{}, "completion", func(ts *v1alpha1.TaskSet) bool {
		return meta.IsStatusConditionTrue(ts.Status.Conditions, v1alpha1.ConditionComplete)
	})
	lost := 0
	if err := l.store.Each(t.Context(), string(done.UID), func(r results.Record) error {
		if !r.Succeeded {
			lost++
			if r.Reason != campaign.ReasonSessionLost || r.Address != frozen.Address() {
				t.Errorf("record %+v", r)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if lost != 1 {
		t.Errorf("%d attempts were lost, want the one that ran on the frozen target", lost)
	}
	if v := done.Status.Variants; v == nil || v.Succeeded != 127 || v.Failed != 0 {
		t.Errorf("variants %+v", v)
	}
}
