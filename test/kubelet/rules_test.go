package kubelet

import (
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// restricted checks in the kernel's books that what Pod Security demands of target pods is really so, and asks the
// API server what the manager may not do.
func (c *cluster) restricted() {
	c.Helper()
	agents := strings.Fields(c.inside("pgrep", "-f", "^/agent "))
	if len(agents) != len(rungs) {
		c.Errorf("%d agents run, want %d", len(agents), len(rungs))
	}
	for _, pid := range agents {
		status := c.inside("cat", filepath.Join("/proc", pid, "status"))
		for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
			if !strings.Contains(status, want) {
				c.Errorf("the agent's status does not say %q:\n%s", want, status)
			}
		}
	}
	for _, pod := range c.pods() {
		for _, s := range pod.Status.ContainerStatuses {
			if s.RestartCount > 0 {
				c.Errorf("pod %s was restarted %d times", pod.Name, s.RestartCount)
			}
		}
	}
	account := "--as=system:serviceaccount:" + system + ":genode-operator-manager"
	for _, refused := range []string{
		"create clusterroles", "bind clusterroles", "escalate roles", "impersonate users", "delete nodes", "patch nodes",
		"create pods --subresource=exec", "get pods --subresource=proxy", "list configmaps", "delete secrets", "update nodes/status", "create namespaces", "delete customresourcedefinitions",
		"create deployments", "create daemonsets", "create serviceaccounts --subresource=token", "create persistentvolumes",
	} {
		args := append([]string{"auth", "can-i"}, strings.Fields(refused)...)
		out, err := c.try(c.Context(), filepath.Join(c.tool, "kubectl"), append(args, account)...)
		if err == nil || !strings.Contains(out, "no") {
			c.Errorf("the manager may %s: %s", refused, out)
		}
	}
}

// apply applies YAML.
func (c *cluster) apply(yaml string) {
	c.Helper()
	cmd := filepath.Join(c.tool, "kubectl")
	out, err := c.tryInput(c.Context(), yaml, cmd, "apply", "-f", "-")
	if err != nil {
		c.Fatal(out, err)
	}
}

// uninstall deletes everything, and checks that nothing is left: objects, pods, definitions.
func (c *cluster) uninstall() {
	c.Helper()
	began := time.Now()
	c.kubectl("delete", "tasksets,targetpools,targetsessions", "--all", "-n", namespace, "--timeout=60s")
	c.await("the target pods to end", time.Minute, func() bool { return len(c.pods()) == 0 })
	c.kubectl("delete", "-k", filepath.Join(c.repo, "test/kubelet/install"), "--timeout=120s")
	if out := c.kubectl("get", "customresourcedefinitions,clusterroles,clusterrolebindings", "-o", "name"); strings.Contains(out, "genode") {
		c.Errorf("left after the uninstallation:\n%s", out)
	}
	err := c.Get(c.Context(), types.NamespacedName{Name: system}, &corev1.Namespace{})
	if !apierrors.IsNotFound(err) {
		c.Errorf("the namespace %s is left: %v", system, err)
	}
	for _, kind := range []string{"secrets", "configmaps", "leases.coordination.k8s.io", "services"} {
		out := c.kubectl("get", kind, "-n", namespace, "-o", "name")
		for line := range strings.Lines(out) {
			if line = strings.TrimSpace(line); line != "" && line != "configmap/kube-root-ca.crt" {
				c.Errorf("left in the targets' namespace: %s", line)
			}
		}
	}
	c.Logf("uninstalled in %.1f s", time.Since(began).Seconds())
}
