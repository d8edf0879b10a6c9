package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// ControlPort is the reference guest's control port in the samples.
const ControlPort = 3002

// Kubectl runs kubectl as administrator of the lab and returns what it prints.
func (l *Lab) Kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(l.programs, "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.plane.Kubeconfig)
	cmd.Dir = l.Repo
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Kubeconfig of the administrator.
func (l *Lab) Kubeconfig() string { return l.plane.Kubeconfig }

// Session reads a TargetSession of the namespace default.
func (l *Lab) Session(ctx context.Context, name string) (*v1alpha1.TargetSession, error) {
	var ts v1alpha1.TargetSession
	return &ts, l.Get(ctx, types.NamespacedName{Namespace: "default", Name: name}, &ts)
}

// Agent connects to the agent of a target, as the manager does.
func (l *Lab) Agent(ctx context.Context, name string) (*agentapi.Client, error) {
	ts, err := l.Session(ctx, name)
	if err != nil {
		return nil, err
	}
	var secret corev1.Secret
	if err := l.Get(ctx, types.NamespacedName{Namespace: "default", Name: name + "-agent"}, &secret); err != nil {
		return nil, err
	}
	credentials := agentapi.Credentials{Token: string(secret.Data["token"]), CertPEM: secret.Data["tls.crt"], KeyPEM: secret.Data["tls.key"]}
	return agentapi.NewClient(net.JoinHostPort(ts.Status.Address, strconv.Itoa(v1alpha1.AgentPort)), credentials)
}

// Tell gives the reference guest of a target a command on its control port, such as "hang", and
// returns the moment at which the guest had acknowledged it.
func (l *Lab) Tell(ctx context.Context, name, command string) (time.Time, error) {
	ts, err := l.Session(ctx, name)
	if err != nil {
		return time.Time{}, err
	}
	at, err := Tell(ctx, (&net.Dialer{}).DialContext, ts.Status.Address, command)
	if err != nil {
		return at, fmt.Errorf("%s: %w", name, err)
	}
	return at, nil
}

// Dial is how a target is reached.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Tell gives the reference guest at an IP address a command on its control port, and returns the moment at
// which the guest had acknowledged it.
func Tell(ctx context.Context, dial Dial, ip, command string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := dial(ctx, "tcp", net.JoinHostPort(ip, strconv.Itoa(ControlPort)))
	if err != nil {
		return time.Time{}, fmt.Errorf("control port: %w", err)
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline)
	if _, err := fmt.Fprintln(c, command); err != nil {
		return time.Time{}, fmt.Errorf("control port: %w", err)
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	at := time.Now()
	if err != nil || !strings.HasPrefix(answer, "ok") {
		return at, errors.Join(fmt.Errorf("control port answers %q to %q", answer, command), err)
	}
	return at, nil
}

// Recovery waits until the agent of a target has completed its recovery number n of the given step
// (counted from 1 in its pod), and returns it.
func (l *Lab) Recovery(ctx context.Context, agent *agentapi.Client, after time.Time) (agentapi.Recovery, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var out agentapi.Recovery
	err := agent.Watch(ctx, func(s agentapi.State) {
		if r := s.LastRecovery; r != nil && r.Done && r.Time.After(after) {
			out = *r
			cancel()
		}
	})
	if !out.Done {
		return out, fmt.Errorf("waiting for the recovery: %w", err)
	}
	return out, nil
}
