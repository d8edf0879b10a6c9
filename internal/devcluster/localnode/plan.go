package localnode

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// retryStart and retryMax are the delays between attempts to find what a container lacks.
	retryStart = 250 * time.Millisecond
	retryMax   = 5 * time.Second
)

// plan is all that is needed to start a container's process.
type plan struct {
	program         string
	args            []string
	env             []string
	dir             string
	paths           paths
	credential      *syscall.Credential // nil for this node's own user
	noNewPrivileges bool
	terminationLog  string
}

// awaitPlan makes the plan, and waits with a reason in the status for whatever is missing. It
// returns nil when ctx ends.
func (c *container) awaitPlan(ctx context.Context) *plan {
	for delay := retryStart; ctx.Err() == nil; delay = min(2*delay, retryMax) {
		p, err := c.plan(ctx)
		if err == nil {
			return p
		}
		if ctx.Err() != nil {
			return nil
		}
		var why *waitError
		if !errors.As(err, &why) {
			why = waiting(reasonConfig, "%v", err)
		}
		c.pod.warn("Failed", "Error: %s", why.message)
		if delay > retryStart && why.reason == reasonImagePull {
			why = waiting(reasonImageBackOff, "Back-off pulling image %q: %s", c.spec.Image, why.message)
		}
		c.pod.update(func() { c.wait(why) })
		sleep(ctx, delay)
	}
	return nil
}

func (c *container) plan(ctx context.Context) (*plan, error) {
	if c.init && c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == corev1.ContainerRestartPolicyAlways {
		return nil, waiting(reasonUnsupported, "init container %q has restartPolicy Always: the local node has no sidecar containers", c.spec.Name)
	}
	image, err := c.pod.node.images.folder(c.spec.Image)
	if err != nil {
		return nil, waiting(reasonImagePull, "%v", err)
	}
	pod, address, folders := c.pod.inputs()
	values, err := environment(ctx, c.pod.source(), pod, address, c.spec)
	if err != nil {
		return nil, waiting(reasonConfig, "%v", err)
	}
	p := &plan{terminationLog: terminationFile(c.dir)}
	p.paths = newPaths(image, c.mounts(folders))
	if p.program, p.args, err = c.commandLine(values, p.paths); err != nil {
		return nil, waiting("CreateContainerError", "%v", err)
	}
	p.dir = image
	if c.spec.WorkingDir != "" {
		p.dir = p.paths.path(c.spec.WorkingDir)
	}
	p.env = processEnvironment(values, p.paths, pod, map[string]string{terminationVariable: p.terminationLog})
	c.secure(p, image)
	if err := os.WriteFile(p.terminationLog, nil, 0o666); err != nil {
		return nil, waiting("CreateContainerError", "termination message: %v", err)
	}
	if err := os.Chmod(p.terminationLog, 0o666); err != nil { // not narrowed by the umask
		return nil, waiting("CreateContainerError", "termination message: %v", err)
	}
	return p, nil
}

// commandLine is what a kubelet would run, with rewritten paths.
func (c *container) commandLine(values map[string]string, p paths) (program string, args []string, err error) {
	command := c.spec.Command
	if len(command) == 0 {
		if command, err = entrypoint(p.image); err != nil {
			return "", nil, err
		}
	}
	words := make([]string, 0, len(command)+len(c.spec.Args))
	for _, word := range append(command[:len(command):len(command)], c.spec.Args...) {
		words = append(words, expand(word, values))
	}
	for _, word := range words[1:] {
		args = append(args, p.value(word))
	}
	return p.command(words[0]), args, nil
}

// mounts says where the container's paths are on this machine.
func (c *container) mounts(folders map[string]string) []mount {
	var mounts []mount
	for _, m := range c.spec.VolumeMounts {
		if folder, ok := folders[m.Name]; ok {
			mounts = append(mounts, mount{path: filepath.Clean(m.MountPath), host: filepath.Join(folder, filepath.Clean("/"+m.SubPath))})
		}
	}
	if c.spec.TerminationMessagePath != "" {
		mounts = append(mounts, mount{path: filepath.Clean(c.spec.TerminationMessagePath), host: terminationFile(c.dir)})
	}
	return mounts
}

// secure sets the process's user. Only root can start programs as another user; and where that
// user cannot reach the image, as in a clone below /root, the container runs as this node's.
func (c *container) secure(p *plan, image string) {
	sc := c.spec.SecurityContext
	p.noNewPrivileges = sc != nil && sc.AllowPrivilegeEscalation != nil && !*sc.AllowPrivilegeEscalation
	wanted := credential(c.pod.spec.SecurityContext, sc)
	if wanted == nil || os.Geteuid() != 0 || wanted.Uid == 0 {
		return
	}
	for _, folder := range []string{image, c.dir} {
		if err := reachable(folder); err != nil {
			c.pod.warn("RunAsUserIgnored", "Container %s runs as root, not as user %d: %v", c.spec.Name, wanted.Uid, err)
			return
		}
	}
	p.credential = wanted
}
