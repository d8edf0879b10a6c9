package e2e

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/test/lab"
)

// F32 of the list in test/parity, and the path of the demo: a campaign, two guests that freeze, one brought back by its snapshot and one by a
// reset, and every variant recorded once.
func TestACampaignSurvivesFrozenGuests(t *testing.T) {
	l := newLab(t)
	kubectl(t, l, "apply", "-k", "config/samples")
	kubectl(t, l, "apply", "-f", "test/demo/cold.yaml")
	for _, name := range []string{"reference-0", "reference-1", "cold"} {
		await(t, name+" to be ready", 3*time.Minute, func() bool { return ready(session(t, l, name)) })
	}
	if c := condition(session(t, l, "reference-0").Status.Conditions, v1alpha1.ConditionSnapshotUsable); c.Status != "True" {
		t.Errorf("the reference guest's snapshot is not usable: %s", c.Message)
	}
	busy := func() bool {
		v := taskset(t, l, "priority-sweep").Status.Variants
		return v != nil && v.Running == 3
	}
	await(t, "all targets to be busy", time.Minute, busy)

	for _, tc := range []struct{ name, step string }{{"reference-0", "Restore"}, {"cold", "Reset"}} {
		r := freeze(t, l, tc.name)
		if r.Step != tc.step || r.Verdict != agentapi.VerdictSilentToPing {
			t.Errorf("%s was recovered by %s after verdict %s, want %s after SilentToPing", tc.name, r.Step, r.Verdict, tc.step)
		}
	}
	await(t, "the campaign's end", 5*time.Minute, complete(t, l, "priority-sweep"))
	ts := taskset(t, l, "priority-sweep")
	everyVariantOnce(t, l, ts, 8)
	if ts.Status.Variants.Retried < 1 {
		t.Errorf("no attempt was repeated although two busy guests froze")
	}
	if got := len(ts.Status.RecentJobs); got != 8*2*2 {
		t.Errorf("the status shows %d jobs, want 32", got)
	}
	table := kubectl(t, l, "get", "tset,tgt,tpool")
	for _, want := range []string{"8/8", "reference-0", "reference-1", "cold", "Restore", "Reset"} {
		if !strings.Contains(table, want) {
			t.Errorf("kubectl get does not show %q:\n%s", want, table)
		}
	}
	events := kubectl(t, l, "get", "events", "-o", "jsonpath={range .items[*]}{.reason}{'\\n'}{end}")
	for _, want := range []string{"GuestFrozen", "GuestRecovered", "CampaignFinished"} {
		if !strings.Contains(events, want) {
			t.Errorf("no event %s among %q", want, lines(events))
		}
	}
	if logs := kubectl(t, l, "logs", "-l", v1alpha1.LabelSession+"=reference-1", "--tail=-1"); !strings.Contains(logs, "refguest: ready") {
		t.Errorf("kubectl logs does not show the guest's serial log:\n%s", logs)
	}
}

// freeze hangs a guest for real and waits until it has been recovered.
func freeze(t *testing.T, l *lab.Lab, name string) agentapi.Recovery {
	t.Helper()
	agent, err := l.Agent(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close()
	at, err := l.Tell(t.Context(), name, "hang")
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Recovery(t.Context(), agent, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: freeze noticed after %d ms, %s, answers again %d ms after the verdict", name, r.Time.Sub(at).Milliseconds(), r.Step, r.OutageMilliseconds)
	return r
}

// A guest that never boots is given up in the end, and somebody is told why.
func TestAGuestThatNeverBoots(t *testing.T) {
	l := newLab(t)
	apply(t, l, `
apiVersion: genode-operator.io/v1alpha1
kind: TargetSession
metadata: {name: broken}
spec:
  qemu:
    preset: linux-x86
    boot: {disk: {path: /guest/initrd.gz}}
  health: {bootTimeoutSeconds: 2}
  restart: {limit: 1, backoffBaseMilliseconds: 100}
---
apiVersion: genode-operator.io/v1alpha1
kind: TargetSession
metadata: {name: missing}
spec:
  qemu:
    preset: linux-x86
    boot: {kernel: {path: /guest/nothere}}
`)
	await(t, "the budget to be used up", 4*time.Minute, func() bool {
		return meta.IsStatusConditionTrue(session(t, l, "broken").Status.Conditions, v1alpha1.ConditionRestartsExhausted)
	})
	if d := session(t, l, "broken").Status.LastDiagnosis; d == nil || d.Verdict != agentapi.VerdictBootOverdue {
		t.Errorf("last diagnosis %+v, want one of verdict BootOverdue", d)
	}
	events := kubectl(t, l, "get", "events", "--field-selector=involvedObject.name=broken", "-o", "jsonpath={range .items[*]}{.reason}{'\\n'}{end}")
	for _, want := range []string{"BootOverdue", "RestartsExhausted"} {
		if !strings.Contains(events, want) {
			t.Errorf("no event %s among %q", want, lines(events))
		}
	}
	await(t, "the missing kernel to be named", time.Minute, func() bool {
		c := condition(session(t, l, "missing").Status.Conditions, v1alpha1.ConditionSourcesReady)
		return c.Status == "False" && strings.Contains(c.Message, "spec.qemu.boot.kernel.path") && strings.Contains(c.Message, "/guest/nothere")
	})
}
