package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/web"
)

// agentLabel is what genodectl calls itself when it asks an agent without a manager.
const agentLabel = "genodectl"

// serialOptions say where a target's serial line is: behind the manager, or at an agent that runs by hand.
type serialOptions struct {
	managerOptions
	credentials string // folder; "": behind the manager
}

func (o *serialOptions) flags(cmd *cobra.Command) {
	o.managerOptions.flags(cmd)
	cmd.Flags().StringVar(&o.credentials, "agent-credentials", "", "`FOLDER` with token and tls.crt of an agent that runs by hand; TARGET is then its address, HOST[:PORT]")
}

// path is the path of a target in the manager's API; TARGET is NAME or NAMESPACE/NAME.
func (o *serialOptions) path(target, what string) (string, error) {
	if namespace, name, split := strings.Cut(target, "/"); split {
		o.namespace, target = namespace, name
	}
	if err := o.home(); err != nil {
		return "", err
	}
	if target == "" {
		return "", errors.New("TARGET: give the name of a TargetSession")
	}
	return fmt.Sprintf("/v1/namespaces/%s/targetsessions/%s/%s", url.PathEscape(o.namespace), url.PathEscape(target), what), nil
}

// agent is the client of an agent that runs by hand.
func (o *serialOptions) agent(target string) (*agentapi.Client, error) {
	token, err := os.ReadFile(filepath.Join(o.credentials, "token"))
	if err != nil {
		return nil, fmt.Errorf("--agent-credentials: %w", err)
	}
	cert, err := os.ReadFile(filepath.Join(o.credentials, "tls.crt"))
	if err != nil {
		return nil, fmt.Errorf("--agent-credentials: %w", err)
	}
	if _, _, err := net.SplitHostPort(target); err != nil {
		target = net.JoinHostPort(target, strconv.Itoa(v1alpha1.AgentPort))
	}
	return agentapi.NewClient(target, agentapi.Credentials{Token: strings.TrimSpace(string(token)), CertPEM: cert})
}

// console opens a serial line.
func (o *serialOptions) console(ctx context.Context, target string, r desk.Request) (*web.Conn, error) {
	if o.credentials != "" {
		agent, err := o.agent(target)
		if err != nil {
			return nil, err
		}
		r.Label = agentLabel
		return agent.Attach(ctx, r)
	}
	path, err := o.path(target, "console")
	if err != nil {
		return nil, err
	}
	query := url.Values{"line": {r.Line}, "access": {string(r.Access)}, "backlog": {strconv.Itoa(r.Backlog)}}
	address, header, err := o.endpoint(path, query)
	if err != nil {
		return nil, err
	}
	conn, err := web.Dial(ctx, o.client(), address, header)
	var refused *web.Refused
	switch {
	case errors.As(err, &refused):
		return nil, fmt.Errorf("the manager says %d: %w", refused.Status, err)
	case err != nil:
		return nil, unreachable(err)
	}
	return conn, nil
}

// log opens the serial log.
func (o *serialOptions) log(ctx context.Context, target string, q agentapi.LogQuery) (io.ReadCloser, error) {
	if o.credentials != "" {
		agent, err := o.agent(target)
		if err != nil {
			return nil, err
		}
		return agent.Log(ctx, q)
	}
	path, err := o.path(target, "log")
	if err != nil {
		return nil, err
	}
	return o.get(ctx, path, q.Values())
}
