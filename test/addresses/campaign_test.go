package addresses

import (
	"context"
	"strings"
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

// campaign makes hey6, with further fields of the spec, and its binary.
func (l *lab) campaign(more string) {
	l.Helper()
	l.Make(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "binaries", Namespace: l.Namespace}, BinaryData: map[string][]byte{"hey": []byte("\x7fELF hey")}})
	ts := &v1alpha1.TaskSet{ObjectMeta: metav1.ObjectMeta{Name: "hey6", Namespace: l.Namespace}}
	if err := yaml.UnmarshalStrict([]byte(hey6+more), &ts.Spec); err != nil {
		l.Fatal(err)
	}
	l.Make(ts)
}

// complete waits for the end of the campaign, in which so many variants have succeeded.
func (l *lab) complete(succeeded int64) *v1alpha1.TaskSet {
	l.Helper()
	done := testenv.Await(l.Lab, "hey6", &v1alpha1.TaskSet{}, "completion", func(ts *v1alpha1.TaskSet) bool {
		return meta.IsStatusConditionTrue(ts.Status.Conditions, v1alpha1.ConditionComplete)
	})
	if v := done.Status.Variants; v == nil || v.Succeeded != succeeded || v.Failed != 0 {
		l.Errorf("variants %+v, want %d that succeeded", v, succeeded)
	}
	return done
}

// each calls do with every record of a campaign.
func (l *lab) each(ts *v1alpha1.TaskSet, do func(results.Record)) {
	l.Helper()
	if err := l.store.Each(context.Background(), string(ts.UID), func(r results.Record) error { do(r); return nil }); err != nil {
		l.Fatal(err)
	}
}

func TestACampaignRunsOnAPoolOfAddresses(t *testing.T) {
	l := newLab(t)
	for n := 1; n <= 8; n++ {
		l.board(n, faketarget.Options{Job: faketarget.Takes(10), Quiet: true})
	}
	l.campaign("")
	l.pool("boards", v1alpha1.ClassGenode, l.at(1)+"-"+l.at(8))
	done := l.complete(127)
	records, targets := map[uint64]int{}, map[string]int{}
	l.each(done, func(r results.Record) {
		records[r.Variant]++
		targets[r.Target]++
		if !r.Final || !r.Succeeded || len(r.Jobs) != 1 || r.HostClass != "Genode" || r.Generation != "1608b" {
			t.Errorf("record %+v", r)
		}
	})
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
	l.pool("boards", v1alpha1.ClassPing, l.at(1), l.at(2))
	l.awaitTargets("boards", map[string]string{l.at(1): up, l.at(2): up})
	l.campaign("")
	testenv.Await(l.Lab, "hey6", &v1alpha1.TaskSet{}, "progress", func(ts *v1alpha1.TaskSet) bool { return ts.Status.Variants != nil && ts.Status.Variants.Succeeded > 5 })
	frozen.Hang()
	l.fog.hide(l.at(1), true) // a frozen board answers no ping either
	l.awaitTargets("boards", map[string]string{l.at(1): silent, l.at(2): up})
	done := l.complete(127)
	lost := 0
	l.each(done, func(r results.Record) {
		if !r.Succeeded {
			lost++
			if r.Reason != campaign.ReasonSessionLost || r.Address != frozen.Address() {
				t.Errorf("record %+v", r)
			}
		}
	})
	if lost != 1 {
		t.Errorf("%d attempts were lost, want the one that ran on the frozen target", lost)
	}
}

func TestABoardIsRebootedBeforeEachVariant(t *testing.T) {
	l := newLab(t)
	board := l.board(1, faketarget.Options{})
	l.pool("boards", v1alpha1.ClassGenode, l.at(1))
	l.campaign("targetReset: Reboot\nsample: {count: 3}\n")
	incarnations := map[int64]bool{}
	l.each(l.complete(3), func(r results.Record) { incarnations[r.Incarnation] = true })
	if n := board.Count("REBOOT"); n != 3 || len(incarnations) != 3 {
		t.Errorf("%d reboots, incarnations %v", n, incarnations)
	}
}

func TestWhatCannotBeRestoredSaysSo(t *testing.T) {
	l := newLab(t)
	l.board(1, faketarget.Options{})
	l.pool("boards", v1alpha1.ClassGenode, l.at(1))
	l.campaign("targetReset: Restore\nsample: {count: 3}\n")
	testenv.Await(l.Lab, "hey6", &v1alpha1.TaskSet{}, "the reason", func(ts *v1alpha1.TaskSet) bool {
		c := meta.FindStatusCondition(ts.Status.Conditions, v1alpha1.ConditionProgressing)
		return c != nil && c.Status == metav1.ConditionFalse && strings.Contains(c.Message, "has no snapshot; use Reboot or None")
	})
}

func TestADryRunPrintsEveryVariant(t *testing.T) {
	l := newLab(t)
	l.Make(&v1alpha1.TargetSession{
		ObjectMeta: metav1.ObjectMeta{Name: "dry", Namespace: l.Namespace, Labels: map[string]string{"lab": "boards"}},
		Spec:       v1alpha1.TargetSessionSpec{Class: v1alpha1.ClassStdio},
	})
	l.campaign("")
	l.each(l.complete(127), func(r results.Record) {
		if r.HostClass != "Stdio" || len(r.Jobs) != 0 {
			t.Errorf("record %+v", r)
		}
	})
	if n := strings.Count(l.printed.String(), "<pkg>hey</pkg>"); n != 127 {
		t.Errorf("%d descriptions were printed:\n%s", n, l.printed.String())
	}
}
