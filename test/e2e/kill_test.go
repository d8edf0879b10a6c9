package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/test/lab"
)

const killCampaign = `
apiVersion: genode-operator.io/v1alpha1
kind: TargetPool
metadata: {name: victims}
spec:
  replicas: 2
  template:
    metadata: {labels: {pool: victims}}
    spec:
      qemu:
        preset: linux-x86
        boot:
          kernel: {path: /guest/vmlinuz}
          initrd: {path: /guest/initrd.gz}
          append: console=ttyS0 quiet panic=-1 tsc=unstable no_timer_check nokaslr mitigations=off
      restart: {backoffBaseMilliseconds: 100}
---
apiVersion: genode-operator.io/v1alpha1
kind: TaskSet
metadata: {name: survivor}
spec:
  tasks:
  - {name: hello, pkg: hey, periodMilliseconds: 400, criticalTimeMilliseconds: 300}
  sweeps:
  - {task: hello, attribute: priority, range: {from: 1, to: 40}}
  completion: {jobsPerTask: 3}
  retries: {limit: 10}
  targets: {selector: {matchLabels: {pool: victims}}}
`

// Whatever is killed with -9 in mid-campaign, every variant is recorded once and nothing is left behind.
func TestNothingIsLostByKilling(t *testing.T) {
	l := newLab(t)
	apply(t, l, killCampaign)
	kills := []struct {
		what string
		do   func()
	}{
		{"the manager", func() { l.KillManager(); restart(t, l.StartManager) }},
		{"a QEMU", func() { kill(t, l, "qemu-system") }},
		{"the manager again", func() { l.KillManager(); restart(t, l.StartManager) }},
		{"an agent", func() { kill(t, l, "/agent ") }},
		{"the control plane", func() { l.KillControlPlane(); restart(t, l.RestartControlPlane) }},
		{"the manager once more", func() { l.KillManager(); restart(t, l.StartManager) }},
	}
	for i, k := range kills {
		goal := int64(2 + 5*i)
		await(t, fmt.Sprintf("%d variants before killing %s", goal, k.what), 3*time.Minute, func() bool {
			v := taskset(t, l, "survivor").Status.Variants
			return v != nil && v.Succeeded >= goal
		})
		t.Logf("kill -9 of %s at %s", k.what, taskset(t, l, "survivor").Status.Progress)
		k.do()
	}
	await(t, "the campaign's end", 5*time.Minute, complete(t, l, "survivor"))
	everyVariantOnce(t, l, taskset(t, l, "survivor"), 40)
	pods := lines(kubectl(t, l, "get", "pods", "-o", "name"))
	if len(pods) != 2 {
		t.Errorf("pods %q, want two", pods)
	}
	kubectl(t, l, "delete", "targetpool", "victims", "--timeout=60s")
	await(t, "the pods to be gone", time.Minute, func() bool {
		return !strings.Contains(kubectl(t, l, "get", "pods", "-o", "name"), "victims") && len(lab.Processes(l.Dir+"/node/")) == 0
	})
}

func restart(t *testing.T, start func(context.Context) error) {
	t.Helper()
	if err := start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// kill ends one process of the lab's pods with SIGKILL.
func kill(t *testing.T, l *lab.Lab, text string) {
	t.Helper()
	all := lab.Processes(l.Dir)
	i := slices.IndexFunc(all, func(p lab.Process) bool { return strings.Contains(p.Command, text) })
	if i < 0 {
		t.Fatalf("no process with %q among %v", text, all)
	}
	if err := syscall.Kill(all[i].Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
