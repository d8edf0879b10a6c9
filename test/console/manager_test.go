package console

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-logr/logr/testr"

	"github.com/genode-operator/genode-operator/internal/managerapi"
	"github.com/genode-operator/genode-operator/internal/session"
)

// letIn lets user "t" do everything.
func letIn(r *http.Request) (managerapi.May, error) {
	if r.Header.Get("Authorization") != "Bearer t" {
		return nil, managerapi.ErrUnauthenticated
	}
	return func(context.Context, managerapi.Access) error { return nil }, nil
}

// manager serves the manager's API over TLS, with the lab's agent as that of lab/arm-0.
func (l *lab) manager() string {
	api := managerapi.New(managerapi.Options{
		Registry: session.NewRegistry(nil), Authenticate: letIn, Log: testr.New(l.T),
		Agent: func(namespace, name string) (managerapi.Agent, bool) { return l.api, namespace+"/"+name == "lab/arm-0" },
	})
	server := httptest.NewTLSServer(api.Handler())
	l.Cleanup(server.Close)
	return server.URL
}

func TestThroughTheManager(t *testing.T) {
	l := boot(t, "--console-policy=manager=steal")
	l.booted()
	url := l.manager()
	genodectl := func(ctx context.Context, flags ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program(t, "genodectl"), append(flags, "--manager", url, "--insecure-skip-tls-verify")...)
		cmd.Env = append(os.Environ(), "GENODE_TOKEN=t")
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		return cmd
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	shown := &screen{}
	console := genodectl(ctx, "console", "lab/arm-0")
	console.Stdout, console.Stderr = shown, shown
	keys, err := console.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := console.Start(); err != nil {
		t.Fatal(err)
	}
	shown.shows(t, strings.TrimSpace(greeting))
	if _, err := io.WriteString(keys, "typed through two programs\n"); err != nil {
		t.Fatal(err)
	}
	shown.shows(t, "typed through two programs\n")

	out, err := genodectl(t.Context(), "logs", "arm-0", "-n", "lab", "--tail=1").CombinedOutput()
	if err != nil || string(out) != "typed through two programs\n" {
		t.Errorf("logs: %q, %v", out, err)
	}
	for line, want := range map[string]string{
		"console lab/arm-9":             "has no agent now",
		"console lab/arm-0 --token=x":   "401",
		"console lab/arm-0 --line=7":    "NoLine",
		"logs lab/arm-9":                "has no agent now",
		"logs lab/arm-0 -f -p":          "leave one out",
		"logs lab/arm-0 --level=fatal":  "--level",
		"console x --detach-key=escape": "--detach-key",
		"console x --read-only --steal": "leave one out",
	} {
		if out, err := genodectl(t.Context(), strings.Fields(line)...).CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v: %s, want %q", line, err, out, want)
		}
	}
	cancel()
	if err := console.Wait(); err != nil && ctx.Err() == nil {
		t.Errorf("ended with %v", err)
	}
	shown.shows(t, "detached from lab/arm-0")
	l.attached(0)
}
