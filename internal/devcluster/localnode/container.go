package localnode

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/internal/devcluster/process"
)

const (
	// containerMark and nodeMark are variables in the environment of all processes of a container:
	// by them its descendants are found, even those that left the process group.
	containerMark = "LOCALNODE_CONTAINER"
	nodeMark      = "LOCALNODE_DIR"
	// terminationVariable tells a program where its termination message goes, without arguments.
	terminationVariable = "TERMINATION_LOG"

	// startErrorCode is the exit code of a container whose program could not be started.
	startErrorCode = 128

	// lostCode is the exit code of a container that ended while this node was not running.
	lostCode = 255

	killPatience  = 5 * time.Second
	drainPatience = 2 * time.Second
)

// container is one container of a pod: it is run, again and again if the policy wants so, by the
// one goroutine that calls supervise.
type container struct {
	pod  *podWorker
	spec *corev1.Container
	init bool
	dir  string // logs and termination message

	seen    observed // guarded by pod.mu
	backoff backoff
	code    int32 // of the last end
	kill    chan killRequest
}

// killRequest ends a running container because a probe wants so.
type killRequest struct {
	grace   time.Duration
	message string
}

// supervise runs the container until it need not be started again, or ctx ends.
func (c *container) supervise(ctx context.Context) {
	if c.finishedBefore() {
		c.pod.wake()
		return
	}
	for first := true; ; first = false {
		plan := c.awaitPlan(ctx)
		if plan == nil {
			return
		}
		c.pod.update(func() {
			if !first || c.seen.last.Terminated != nil {
				c.seen.restarts++
			}
		})
		began := time.Now()
		c.run(ctx, plan)
		if ctx.Err() != nil || !restarts(c.pod.spec.RestartPolicy, c.code, c.init) {
			return
		}
		if !c.awaitBackoff(ctx, c.backoff.next(time.Since(began))) {
			return
		}
	}
}

// finishedBefore takes over what an earlier run of this node has written into the pod's status,
// and says whether nothing is left to do.
func (c *container) finishedBefore() bool {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	if running := c.seen.state.Running; running != nil {
		// Its process went with the node: nobody knows how.
		c.seen.state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: lostCode, Reason: "Unknown", Message: "the node was stopped while the container ran",
			StartedAt: running.StartedAt, FinishedAt: metav1.Now(), ContainerID: c.seen.id,
		}}
	}
	ended := c.seen.state.Terminated
	if ended == nil {
		return false
	}
	if !c.init && !restarts(c.pod.spec.RestartPolicy, ended.ExitCode, c.init) {
		c.code = ended.ExitCode
		return true
	}
	c.seen.last = c.seen.state
	c.seen.state = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reasonCreating}}
	return false
}

// awaitBackoff waits before a restart, in the state CrashLoopBackOff.
func (c *container) awaitBackoff(ctx context.Context, delay time.Duration) bool {
	if delay == 0 {
		c.pod.update(func() { c.seen.last = c.seen.state })
		return true
	}
	message := fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)", delay, c.spec.Name, c.pod.name, c.pod.namespace, c.pod.uid)
	c.pod.update(func() {
		c.seen.last = c.seen.state
		c.wait(waiting(reasonCrashLoop, "%s", message))
	})
	c.pod.warn("BackOff", "Back-off restarting failed container %s", c.spec.Name)
	return sleep(ctx, delay)
}

// wait sets the state "waiting"; the caller holds pod.mu.
func (c *container) wait(why *waitError) {
	c.seen.state = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: why.reason, Message: why.message}}
	c.seen.ready, c.seen.started = false, false
}

// run runs the container once, and leaves its end in the state and in c.code.
func (c *container) run(ctx context.Context, plan *plan) {
	run := c.seen.restarts // written by this goroutine only
	id := fmt.Sprintf("localnode://%s-%s-%d", c.pod.uid, c.spec.Name, run)
	child, finish, err := c.start(plan, id, run)
	if err != nil {
		c.pod.warn("Failed", "Error: %v", err)
		now := metav1.Now()
		c.ended(id, &corev1.ContainerStateTerminated{ExitCode: startErrorCode, Reason: "StartError", Message: err.Error(), StartedAt: now, FinishedAt: now})
		return
	}
	began := metav1.Now()
	c.pod.update(func() {
		c.seen.id = id
		c.seen.state = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: began}}
		c.seen.started, c.seen.ready = c.spec.StartupProbe == nil, c.spec.StartupProbe == nil && c.spec.ReadinessProbe == nil
	})
	c.pod.event("Started", "Started container %s", c.spec.Name)
	probing, stopProbes := context.WithCancel(ctx)
	probes := c.startProbes(probing, plan)
	c.awaitEnd(ctx, child)
	stopProbes()
	probes.Wait()
	exit := child.Exit()
	finish()
	reason := "Completed"
	if exit.Code != 0 {
		reason = "Error"
	}
	c.ended(id, &corev1.ContainerStateTerminated{
		ExitCode: int32(exit.Code), Signal: int32(exit.Signal), Reason: reason,
		Message:   terminationMessage(c.spec, plan.terminationLog, logPath(c.dir, run), exit.Code != 0),
		StartedAt: began, FinishedAt: metav1.NewTime(exit.At),
	})
}

func (c *container) ended(id string, end *corev1.ContainerStateTerminated) {
	end.ContainerID = id
	c.code = end.ExitCode
	c.pod.update(func() {
		c.seen.id = id
		c.seen.state = corev1.ContainerState{Terminated: end}
		c.seen.ready, c.seen.started = false, false
	})
}

// start starts the process. finish kills what is left of it once it has ended, and closes its log.
func (c *container) start(plan *plan, id string, run int32) (child *process.Process, finish func(), err error) {
	log, err := openLogFile(logPath(c.dir, run))
	if err != nil {
		return nil, nil, err
	}
	removeLog(logPath(c.dir, run-2)) // the newest two are kept
	r, w, err := os.Pipe()
	if err != nil {
		_ = log.Close()
		return nil, nil, err
	}
	cmd := plan.command(c.pod.node.dir, id)
	cmd.Stdout, cmd.Stderr = w, w
	child, err = process.Start(cmd, plan.noNewPrivileges)
	_ = w.Close() // the child has its own
	if err != nil {
		_, _ = r.Close(), log.Close()
		return nil, nil, err
	}
	drained := make(chan struct{})
	go func() { defer close(drained); drain(r, log) }()
	return child, func() {
		for _, pid := range process.KillMarked(containerMark, id, killPatience) {
			c.pod.node.log.Info("A process of a container cannot be killed", "pid", pid, "container", id)
		}
		select {
		case <-drained:
		case <-time.After(drainPatience): // somebody we do not see holds the output
		}
		_, _ = r.Close(), log.Close()
		<-drained
	}, nil
}

// awaitEnd returns when the process has ended, after ending it if ctx or a probe says so.
func (c *container) awaitEnd(ctx context.Context, child *process.Process) {
	select {
	case <-child.Done():
		return
	case request := <-c.kill:
		c.pod.event("Killing", "%s", request.message)
		child.Stop(request.grace)
		return
	case <-ctx.Done():
	}
	child.Signal(syscall.SIGTERM)
	// The time left may become shorter meanwhile, by a second deletion with less grace.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(c.pod.killAt()) {
		select {
		case <-child.Done():
			return
		case <-tick.C:
		}
	}
	child.Stop(0)
}

// sleep waits, and returns false if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// command makes the process of a plan.
func (p *plan) command(nodeDir, id string) *exec.Cmd {
	cmd := exec.Command(p.program, p.args...)
	cmd.Dir = p.dir
	cmd.Env = append(p.env[:len(p.env):len(p.env)], containerMark+"="+id, nodeMark+"="+nodeDir)
	if p.credential != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential}
	}
	return cmd
}

// terminationFile is where a container's termination message is written on this machine.
func terminationFile(dir string) string { return filepath.Join(dir, "termination-log") }
