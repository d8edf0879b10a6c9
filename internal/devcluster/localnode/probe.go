package localnode

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// startProbes starts the container's probes; they end with ctx. Readiness and liveness are asked
// for only after the startup probe has succeeded once.
func (c *container) startProbes(ctx context.Context, p *plan) *sync.WaitGroup {
	var probes sync.WaitGroup
	started := make(chan struct{})
	if probe := c.spec.StartupProbe; probe != nil {
		probes.Go(func() { c.watchStartup(ctx, p, probe, started) })
	} else {
		close(started)
	}
	if probe := c.spec.ReadinessProbe; probe != nil {
		probes.Go(func() {
			if await(ctx, started) {
				c.watchReadiness(ctx, p, probe)
			}
		})
	}
	if probe := c.spec.LivenessProbe; probe != nil {
		probes.Go(func() {
			if await(ctx, started) {
				c.watchLiveness(ctx, p, probe, "liveness")
			}
		})
	}
	return &probes
}

func (c *container) watchStartup(ctx context.Context, p *plan, probe *corev1.Probe, started chan<- struct{}) {
	c.probe(ctx, p, probe, "Startup", func(ok bool) (more bool) {
		if !ok {
			c.requestKill(ctx, probe, "startup")
			return false
		}
		c.pod.update(func() { c.seen.started, c.seen.ready = true, c.spec.ReadinessProbe == nil })
		close(started)
		return false
	})
}

func (c *container) watchReadiness(ctx context.Context, p *plan, probe *corev1.Probe) {
	c.probe(ctx, p, probe, "Readiness", func(ok bool) (more bool) {
		c.pod.update(func() { c.seen.ready = ok })
		return true
	})
}

func (c *container) watchLiveness(ctx context.Context, p *plan, probe *corev1.Probe, kind string) {
	c.probe(ctx, p, probe, "Liveness", func(ok bool) (more bool) {
		if ok {
			return true
		}
		c.requestKill(ctx, probe, kind)
		return false
	})
}

func (c *container) requestKill(ctx context.Context, probe *corev1.Probe, kind string) {
	grace := c.pod.spec.TerminationGracePeriodSeconds
	if probe.TerminationGracePeriodSeconds != nil {
		grace = probe.TerminationGracePeriodSeconds
	}
	request := killRequest{grace: 30 * time.Second, message: fmt.Sprintf("Container %s failed %s probe, will be restarted", c.spec.Name, kind)}
	if grace != nil {
		request.grace = time.Duration(*grace) * time.Second
	}
	select {
	case c.kill <- request:
	case <-ctx.Done():
	}
}

// probe asks at intervals, and reports each verdict that its thresholds confirm until report
// wants no more or ctx ends.
func (c *container) probe(ctx context.Context, p *plan, probe *corev1.Probe, kind string, report func(ok bool) (more bool)) {
	if !sleep(ctx, seconds(probe.InitialDelaySeconds)) {
		return
	}
	var t tally
	for {
		err := c.ask(ctx, p, probe)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.pod.warn("Unhealthy", "%s probe failed: %v", kind, err)
		}
		if verdict, confirmed := t.add(err == nil, max(probe.SuccessThreshold, 1), max(probe.FailureThreshold, 1)); confirmed && !report(verdict) {
			return
		}
		if !sleep(ctx, seconds(max(probe.PeriodSeconds, 1))) {
			return
		}
	}
}

// tally counts equal results of a probe in a row.
type tally struct {
	ok    bool
	count int32
}

// add says what a probe's results mean so far, once there are enough of them in a row.
func (t *tally) add(ok bool, successes, failures int32) (verdict, confirmed bool) {
	if ok != t.ok {
		t.ok, t.count = ok, 0
	}
	t.count++
	if ok {
		return true, t.count >= successes
	}
	return false, t.count >= failures
}

// ask runs a probe once.
func (c *container) ask(ctx context.Context, p *plan, probe *corev1.Probe) error {
	ctx, cancel := context.WithTimeout(ctx, seconds(max(probe.TimeoutSeconds, 1)))
	defer cancel()
	_, address, _ := c.pod.inputs()
	switch {
	case probe.HTTPGet != nil:
		return askHTTP(ctx, c.spec, probe.HTTPGet, address)
	case probe.TCPSocket != nil:
		return askTCP(ctx, c.spec, probe.TCPSocket, address)
	case probe.Exec != nil:
		return c.askExec(ctx, p, probe.Exec)
	}
	return fmt.Errorf("the local node knows only httpGet, tcpSocket and exec probes")
}

func askHTTP(ctx context.Context, c *corev1.Container, get *corev1.HTTPGetAction, address string) error {
	port, err := portNumber(c, get.Port)
	if err != nil {
		return err
	}
	u, err := url.Parse(get.Path)
	if err != nil {
		return err
	}
	u.Scheme, u.Host = "http", net.JoinHostPort(orElse(get.Host, address), strconv.Itoa(port))
	if get.Scheme == corev1.URISchemeHTTPS {
		u.Scheme = "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	for _, header := range get.HTTPHeaders {
		request.Header.Add(header.Name, header.Value)
	}
	// As a kubelet does: the certificate of a probed pod is not verified.
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only read
	_, _ = io.CopyN(io.Discard, response.Body, 10<<10)
	if response.StatusCode < 200 || response.StatusCode >= 400 {
		return fmt.Errorf("HTTP probe failed with statuscode: %d", response.StatusCode)
	}
	return nil
}

func askTCP(ctx context.Context, c *corev1.Container, tcp *corev1.TCPSocketAction, address string) error {
	port, err := portNumber(c, tcp.Port)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(orElse(tcp.Host, address), strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return conn.Close()
}

func (c *container) askExec(ctx context.Context, p *plan, action *corev1.ExecAction) error {
	words := make([]string, len(action.Command))
	for i, word := range action.Command {
		words[i] = p.paths.value(word)
	}
	in := *p
	in.program, in.args = p.paths.command(action.Command[0]), words[1:]
	prepared := in.command(c.pod.node.dir, "probe")
	cmd := exec.CommandContext(ctx, prepared.Path, prepared.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = prepared.Dir, prepared.Env, prepared.SysProcAttr
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, lastLines(output, 3))
	}
	return nil
}

// portNumber finds a port given by number or by the name of one of the container's ports.
func portNumber(c *corev1.Container, port intstr.IntOrString) (int, error) {
	if port.Type == intstr.Int {
		return port.IntValue(), nil
	}
	for _, p := range c.Ports {
		if p.Name == port.StrVal {
			return int(p.ContainerPort), nil
		}
	}
	if n, err := strconv.Atoi(port.StrVal); err == nil {
		return n, nil
	}
	return 0, fmt.Errorf("container %s has no port named %q", c.Name, port.StrVal)
}

// await returns false if ctx ends before the channel is closed.
func await(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
