package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/refguest/image"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

const (
	controlPort  = 3002
	readyTimeout = 3 * time.Minute // for everything that ends in a guest that serves
	stopTimeout  = 15 * time.Second
	// hangDelay is what the guest waits between its answer to "hang" and the freeze.
	hangDelay = 50 * time.Millisecond
)

// target is an agent with its guest, as a child of this program. Its methods are for one goroutine.
type target struct {
	ip     string
	dir    string // working folder of the agent
	log    string // file
	cmd    *exec.Cmd
	client *agentapi.Client

	ended     chan struct{} // the agent has ended
	endWatch  context.CancelFunc
	watchOver chan struct{}

	mu      sync.Mutex
	state   agentapi.State // guarded by mu: the newest
	changed chan struct{}  // guarded by mu: closed and replaced with each state
}

// lodging gives every target an address and a folder of its own.
type lodging struct {
	dir  string
	next int
}

// address is a loopback address on which the agent's ports are free.
func (l *lodging) address() (string, error) {
	for range 250 {
		l.next++
		ip := fmt.Sprintf("127.91.%d.%d", 1+os.Getpid()%250, l.next)
		if vacant(ip) {
			return ip, nil
		}
	}
	return "", errors.New("no address of 127.91.0.0/16 has the agent's ports free")
}

func vacant(ip string) bool {
	for _, port := range []int{v1alpha1.AgentPort, v1alpha1.ProbePort, v1alpha1.TaskloaderPort, controlPort} {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

// boot starts an agent with those recovery steps, and returns when its guest is ready. Stop ends it.
func (o *options) boot(ctx context.Context, l *lodging, s setting, steps string) (*target, error) {
	ip, err := l.address()
	if err != nil {
		return nil, err
	}
	t := &target{ip: ip, dir: filepath.Join(l.dir, strconv.Itoa(l.next)), changed: make(chan struct{})}
	if err := os.Mkdir(t.dir, 0o700); err != nil {
		return nil, err
	}
	t.log = filepath.Join(t.dir, "agent.log")
	if o.logs != "" {
		t.log = filepath.Join(o.logs, fmt.Sprintf("%s-%s-%d.log", strings.ReplaceAll(steps, ",", "-"), s.Name, l.next))
	}
	t.cmd = exec.Command(o.agent, "--preset=linux-x86", "--accelerator="+o.accelerator,
		"--kernel="+filepath.Join(o.guest, image.KernelFile), "--initrd="+filepath.Join(o.guest, image.InitrdFile),
		"--append="+image.Append+" refguest.control="+strconv.Itoa(controlPort), "--forward="+strconv.Itoa(controlPort),
		"--log-level=2", "--pod-ip="+ip, "--work-dir="+t.dir, "--steps="+steps,
		"--echo-interval="+s.Interval.String(), "--echo-timeout="+s.Timeout.String())
	if err := t.launch(); err != nil {
		return nil, err
	}
	if err := t.follow(ctx); err != nil {
		t.stop()
		return nil, err
	}
	if _, err := t.await(ctx, "the guest is ready", readyTimeout, func(s agentapi.State) bool { return s.Ready }); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

// launch starts the agent in a process group of its own, so that Ctrl-C reaches this program alone. The
// kernel ends a child when the thread that made it ends: that thread waits.
func (t *target) launch() error {
	log, err := os.Create(t.log)
	if err != nil {
		return err
	}
	defer log.Close()
	t.cmd.Stdout, t.cmd.Stderr = log, log
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	t.ended = make(chan struct{})
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(t.ended)
		err := t.cmd.Start()
		started <- err
		if err == nil {
			_ = t.cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	return nil
}

// follow waits for the API and keeps t.state up to date from then on.
func (t *target) follow(ctx context.Context) error {
	if err := t.connect(ctx); err != nil {
		return err
	}
	watching, cancel := context.WithCancel(ctx)
	t.endWatch, t.watchOver = cancel, make(chan struct{})
	go func() {
		defer close(t.watchOver)
		for watching.Err() == nil {
			_ = t.client.Watch(watching, t.see) // it is tried again; await notices silence
			pause(watching, 20*time.Millisecond)
		}
	}()
	return nil
}

// connect makes the client, once the agent has made its credentials and answers.
func (t *target) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		token, errToken := os.ReadFile(filepath.Join(t.dir, "credentials", "token"))
		cert, errCert := os.ReadFile(filepath.Join(t.dir, "credentials", "tls.crt"))
		err := errors.Join(errToken, errCert)
		if err == nil {
			t.client, err = agentapi.NewClient(net.JoinHostPort(t.ip, strconv.Itoa(v1alpha1.AgentPort)),
				agentapi.Credentials{Token: string(token), CertPEM: cert})
		}
		if err == nil {
			if _, err = t.client.State(ctx); err == nil {
				return nil
			}
		}
		select {
		case <-t.ended:
			return t.explain(errors.New("the agent has ended"))
		default:
		}
		if !pause(ctx, 20*time.Millisecond) {
			return t.explain(fmt.Errorf("the agent does not answer: %w", err))
		}
	}
}

func (t *target) see(s agentapi.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = s
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *target) now() (agentapi.State, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state, t.changed
}

// await returns the first state for which holds is true.
func (t *target) await(ctx context.Context, what string, within time.Duration, holds func(agentapi.State) bool) (agentapi.State, error) {
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	for {
		s, changed := t.now()
		if holds(s) {
			return s, nil
		}
		if s.NeedsReplacement {
			return s, t.explain(fmt.Errorf("waiting until %s: every step has failed: %s", what, s.Message))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s, ctx.Err()
		case <-t.ended:
			return s, t.explain(fmt.Errorf("waiting until %s: the agent has ended", what))
		case <-timeout.C:
			return s, t.explain(fmt.Errorf("waiting until %s: not within %s; it is %s (%s), snapshot %s %s",
				what, within, s.Verdict, s.Message, s.Snapshot.State, s.Snapshot.Message))
		}
	}
}

// command sends a line to the guest's control port and returns when the answer came.
func (t *target) command(ctx context.Context, line string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(t.ip, strconv.Itoa(controlPort)))
	if err != nil {
		return time.Time{}, t.explain(fmt.Errorf("control port: %w", err))
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_, err = fmt.Fprintln(conn, line)
	answer := ""
	if err == nil {
		answer, err = bufio.NewReader(conn).ReadString('\n')
	}
	at := time.Now()
	if err != nil {
		return at, t.explain(fmt.Errorf("control port, %q: %w", line, err))
	}
	if answer != "ok "+line+"\n" {
		return at, fmt.Errorf("control port: the answer to %q is %q", line, answer)
	}
	return at, nil
}

// explain adds the end of the agent's log to an error.
func (t *target) explain(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	b, _ := os.ReadFile(t.log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return fmt.Errorf("%w\nthe end of the agent's log:\n  %s", err, strings.Join(lines[max(0, len(lines)-12):], "\n  "))
}

// stop ends the agent, which ends its guest, and removes its folder.
func (t *target) stop() {
	if t.endWatch != nil {
		t.endWatch()
		<-t.watchOver
		t.client.Close()
	}
	_ = t.cmd.Process.Signal(syscall.SIGTERM) // it has ended already: fine
	select {
	case <-t.ended:
	case <-time.After(stopTimeout):
		_ = t.cmd.Process.Kill()
		<-t.ended
	}
	_ = os.RemoveAll(t.dir) // the folder above is removed at the end in any case
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
