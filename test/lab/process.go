package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/genode-operator/genode-operator/internal/devcluster"
)

// process is a child that ends with this program, and is stopped by SIGTERM, then SIGKILL.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// launch starts cmd. The kernel kills the child when the thread that made it ends, so that thread waits.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	return p, <-started
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.kill()
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// StartManager starts the manager, with the rights of its service account, and waits until it is ready.
func (l *Lab) StartManager(ctx context.Context) error {
	kubeconfig := filepath.Join(l.Dir, "manager.kubeconfig")
	if err := devcluster.WriteServiceAccountKubeconfig(ctx, l.plane.RESTConfig, Namespace, "manager", kubeconfig, 6*time.Hour); err != nil {
		return err
	}
	log, err := os.OpenFile(l.ManagerLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	probes, err := freeAddress()
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(l.options.Programs, "manager"), "--runner-image="+RunnerImage, "--results="+l.Results(),
		"--metrics-bind-address=0", "--api-bind-address=0", "--health-probe-bind-address="+probes, "--log-level=2")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	cmd.Stdout, cmd.Stderr = log, log
	if l.manager, err = launch(cmd); err != nil {
		return fmt.Errorf("start the manager: %w", err)
	}
	return l.awaitManager(ctx, "http://"+probes+"/readyz")
}

func (l *Lab) awaitManager(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-l.manager.done:
			return fmt.Errorf("the manager ended at once; see %s:\n%s", l.ManagerLog(), tail(l.ManagerLog(), 20))
		case <-ctx.Done():
			return errors.Join(errors.New("the manager is not ready"), ctx.Err())
		}
	}
}

// KillManager is kill -9.
func (l *Lab) KillManager() { l.manager.kill() }

// ManagerLog is the file with the manager's log.
func (l *Lab) ManagerLog() string { return filepath.Join(l.Dir, "manager.log") }

// ManagerLogTail is the end of the manager's log.
func (l *Lab) ManagerLogTail(lines int) string { return tail(l.ManagerLog(), lines) }

// Results is the file of the results store.
func (l *Lab) Results() string { return filepath.Join(l.Dir, "results.db") }

// KillControlPlane is kill -9 of etcd, API server, controllers and scheduler, which are one process.
func (l *Lab) KillControlPlane() {
	_ = syscall.Kill(l.plane.Pid, syscall.SIGKILL)
	<-l.plane.Done()
}

// RestartControlPlane starts the control plane again, on its old state and address.
func (l *Lab) RestartControlPlane(ctx context.Context) (err error) {
	plane, err := devcluster.Start(ctx, devcluster.Options{Dir: filepath.Join(l.Dir, "control-plane"), Log: l.options.Out})
	if err == nil {
		l.plane = plane
	}
	return err
}
