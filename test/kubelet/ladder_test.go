package kubelet

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// target is a TargetSession whose only rung is the given one.
const target = `
apiVersion: genode-operator.io/v1alpha1
kind: TargetSession
metadata: {name: %s, namespace: lab, labels: {lab: ladder}}
spec:
  qemu:
    preset: linux-x86
    boot:
      kernel: {path: /guest/vmlinuz}
      initrd: {path: /guest/initrd.gz}
      append: console=ttyS0 quiet panic=-1 tsc=unstable no_timer_check nokaslr mitigations=off refguest.control=3002
    network: {ports: [3001, 3002]}
  restart: {steps: [%s], backoffBaseMilliseconds: 100}
`

const campaign = `
apiVersion: genode-operator.io/v1alpha1
kind: TaskSet
metadata: {name: ladder, namespace: lab}
spec:
  tasks: [{name: load, pkg: pi, quota: 1Mi, periodMilliseconds: 1000, criticalTimeMilliseconds: 900, config: {arg1: 100000}}]
  sweeps: [{task: load, attribute: priority, range: {from: 1, to: 24}}]
  completion: {jobsPerTask: 3}
  targets: {selector: {matchLabels: {lab: ladder}}}
  retries: {limit: 5}
`

// rung is a step of the ladder, and the target that has no other one.
type rung struct {
	name string
	step v1alpha1.RecoveryStep
}

var rungs = []rung{
	{"restore", v1alpha1.StepRestore}, {"reset", v1alpha1.StepReset},
	{"relaunch", v1alpha1.StepRelaunch}, {"replace", v1alpha1.StepReplace},
}

// A campaign by kubectl apply; each of four guests freezes and is brought back by another step; every variant
// has its result; and nothing is left when it is all deleted.
func TestACampaignClimbsTheWholeLadder(t *testing.T) {
	c := newCluster(t, "install")
	applied := time.Now()
	for _, r := range rungs {
		c.apply(fmt.Sprintf(target, r.name, r.step))
	}
	c.await("the first guest", 3*time.Minute, c.ready("restore"))
	t.Logf("from kubectl apply of four targets to the first one ready: %.1f s", time.Since(applied).Seconds())
	for _, r := range rungs {
		c.await(r.name+" to be ready", 3*time.Minute, c.ready(r.name))
	}
	t.Logf("to the last one: %.1f s", time.Since(applied).Seconds())
	c.await("a snapshot", time.Minute, func() bool {
		return meta.IsStatusConditionTrue(c.session("restore").Status.Conditions, v1alpha1.ConditionSnapshotUsable)
	})
	c.restricted()

	c.apply(campaign)
	c.await("all targets to be busy", time.Minute, func() bool {
		v := c.taskset("ladder").Status.Variants
		return v != nil && int(v.Running) == len(rungs)
	})
	for _, r := range rungs {
		c.climb(r)
	}
	c.await("the campaign's end", 5*time.Minute, c.complete("ladder"))
	if v := c.taskset("ladder").Status.Variants; v.Succeeded != 24 || v.Failed != 0 {
		t.Errorf("variants %+v, want 24 that succeeded", v)
	}
	if v := c.taskset("ladder").Status.Variants; v.Retried == 0 {
		t.Error("no attempt was repeated although four busy guests froze")
	}
	c.uninstall()
}

// climb freezes a guest and waits until its step has brought it back.
func (c *cluster) climb(r rung) {
	c.Helper()
	boots := c.session(r.name).Status.Epoch
	at := c.freeze(r.name)
	c.await(r.name+" to be back", 2*time.Minute, func() bool {
		last := c.session(r.name).Status.LastRecovery
		if r.step == v1alpha1.StepReplace {
			return c.session(r.name).Status.Epoch > boots && c.ready(r.name)() && c.answers(r.name)
		}
		return last != nil && last.Step == r.step && last.OutageMilliseconds != nil && last.Time.After(at)
	})
	answered := time.Since(at)
	last := c.session(r.name).Status.LastRecovery
	switch {
	case r.step == v1alpha1.StepReplace:
		c.Logf("%s: a new pod answers %.1f s after the freeze", r.name, answered.Seconds())
	case last != nil:
		noticed := last.Time.Sub(at)
		if noticed > 5*time.Second {
			c.Errorf("%s: the freeze was noticed after %s", r.name, noticed)
		}
		c.Logf("%s: noticed after %d ms, answers again %d ms after the verdict", r.name, noticed.Milliseconds(), *last.OutageMilliseconds)
	}
}
