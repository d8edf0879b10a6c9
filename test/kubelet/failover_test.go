package kubelet

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// Two managers: the one that works is killed with -9 in the middle of a campaign, twice. The other one takes over,
// and each variant has one final record.
func TestTwoManagersFailOver(t *testing.T) {
	c := newCluster(t, "install-ha")
	for _, name := range []string{"a", "b"} {
		c.apply(fmt.Sprintf(target, name, v1alpha1.StepRestore))
	}
	for _, name := range []string{"a", "b"} {
		c.await(name+" to be ready", 3*time.Minute, c.ready(name))
	}
	c.apply(campaign)
	for kill := range 2 {
		c.await("some variants to be done", 2*time.Minute, func() bool {
			v := c.taskset("ladder").Status.Variants
			return v != nil && int(v.Succeeded) >= 2+4*kill
		})
		before := c.leader()
		at := time.Now()
		c.killManager(before)
		c.await("another manager to take over", 2*time.Minute, func() bool { l := c.leader(); return l != "" && l != before })
		t.Logf("%s was killed; %s leads after %.1f s", before, c.leader(), time.Since(at).Seconds())
	}
	c.await("the campaign's end", 5*time.Minute, c.complete("ladder"))
	// The counts are those of the database, not of the status.
	rows := c.kubectl("-n", system, "exec", "postgres", "--", "/bin/sh", "-c",
		"exec /usr/lib/postgresql/*/bin/psql -h localhost -U results -d postgres -tAc "+
			"'SELECT count(*), count(DISTINCT variant) FROM records WHERE final AND succeeded'")
	if got := strings.TrimSpace(rows); got != "24|24" {
		t.Errorf("final records | variants: %s, want 24|24", got)
	}
	for _, name := range []string{"a", "b"} {
		if epoch := c.session(name).Status.Epoch; epoch != 1 {
			t.Errorf("target %s has its pod number %d: the managers' change has cost it a pod", name, epoch)
		}
	}
}

// leader is the name of the pod that works; "" while the lease has no holder.
func (c *cluster) leader() string {
	c.Helper()
	holder, err := c.try(c.Context(), filepath.Join(c.tool, "kubectl"), "-n", system, "get", "lease", "manager.genode-operator.io", "-o", "jsonpath={.spec.holderIdentity}")
	if err != nil {
		c.Log(err)
		return ""
	}
	pod, _, _ := strings.Cut(holder, "_")
	return pod
}

// killManager kills the process of a manager's pod with -9.
func (c *cluster) killManager(pod string) {
	c.Helper()
	for _, p := range strings.Fields(c.inside("pgrep", "-f", "^/manager ")) {
		environment := c.inside("cat", filepath.Join("/proc", p, "environ"))
		if strings.Contains(environment, "HOSTNAME="+pod+"\x00") {
			c.inside("kill", "-KILL", p)
			return
		}
	}
	c.Fatalf("no process of pod %s", pod)
}

// A node is drained in the middle of a campaign, and comes back: targets and manager are made anew, and the
// campaign goes on where it was.
func TestADrainedNodeComesBack(t *testing.T) {
	c := newCluster(t, "install")
	for _, name := range []string{"a", "b"} {
		c.apply(fmt.Sprintf(target, name, v1alpha1.StepRestore))
	}
	c.apply(campaign)
	c.await("some variants to be done", 3*time.Minute, func() bool {
		v := c.taskset("ladder").Status.Variants
		return v != nil && v.Succeeded >= 3
	})
	c.kubectl("drain", "local", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=90s")
	if n := len(c.pods()); n > 2 {
		t.Errorf("%d target pods during the drain, want two that wait", n)
	}
	c.kubectl("uncordon", "local")
	c.await("the campaign's end", 5*time.Minute, c.complete("ladder"))
	if v := c.taskset("ladder").Status.Variants; v.Succeeded != 24 {
		t.Errorf("variants %+v, want 24 that succeeded", v)
	}
	for _, name := range []string{"a", "b"} {
		if epoch := c.session(name).Status.Epoch; epoch != 2 {
			t.Errorf("target %s has its pod number %d, want 2: one replacement for one eviction", name, epoch)
		}
	}
}
