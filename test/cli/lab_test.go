// Package cli holds no code: its tests build genodectl and run it as people do, against fake targets.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// programs is the folder with genodectl and kubectl-genode.
var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "genodectl-"); err != nil {
		panic(err)
	}
	build := exec.Command("go", "build", "-o", program("genodectl"), "../../cmd/genodectl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is built for users, also where the tests look for races
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build genodectl: %v\n%s", err, out))
	}
	if err := os.Symlink("genodectl", program("kubectl-genode")); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(programs)
	os.Exit(code)
}

func program(name string) string { return filepath.Join(programs, name) }

// lab is a user with a home, a folder with binaries, and fake targets.
type lab struct {
	*testing.T
	home, binaries string
	port           string
	targets        []*faketarget.Target
}

// newLab starts fakes at 127.0.0.1 and on, all with the same port.
func newLab(t *testing.T, fakes int, o faketarget.Options) *lab {
	t.Helper()
	home := t.TempDir()
	l := &lab{T: t, home: home, binaries: filepath.Join(home, "bin")} // where genodectl looks for them
	if err := os.Mkdir(l.binaries, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, pkg := range []string{"hey", "pi", "tumatmul", "linpack"} {
		if err := os.WriteFile(filepath.Join(l.binaries, pkg), []byte("\x7fELF "+pkg), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const ports = 10 // that are tried: on the other addresses somebody else may have it
	var err error
	for range ports {
		if err = l.start(fakes, o); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func (l *lab) start(fakes int, o faketarget.Options) error {
	l.port = "0"
	for i := range fakes {
		o.Address = net.JoinHostPort(address(i), l.port)
		target, err := faketarget.Start(o)
		if err != nil {
			l.close()
			return err
		}
		l.targets = append(l.targets, target)
		l.port = strconv.Itoa(int(netip.MustParseAddrPort(target.Address()).Port()))
	}
	return nil
}

func (l *lab) close() {
	for _, target := range l.targets {
		target.Close()
	}
	l.targets = nil
}

// address of fake i.
func address(i int) string { return "127.0.0." + strconv.Itoa(i+1) }

// result is what a command left.
type result struct {
	code     int
	out, log string
}

// command prepares genodectl, or another program of that folder, for this user.
func (l *lab) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program(name), args...)
	cmd.Dir = l.home
	cmd.Env = append(os.Environ(), "HOME="+l.home, "XDG_STATE_HOME="+filepath.Join(l.home, "state"), "GENODE_MANAGER=", "KUBECONFIG="+filepath.Join(l.home, "none"))
	return cmd
}

// genodectl runs it to its end.
func (l *lab) genodectl(args ...string) result {
	l.Helper()
	cmd := l.command(l.Context(), "genodectl", args...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), log.String()}
}

// run is a call of run against all fakes.
func (l *lab) run(args ...string) result {
	l.Helper()
	return l.genodectl(append(append([]string{"run"}, args...), l.targetFlags(len(l.targets))...)...)
}

// write makes a file of the user's.
func (l *lab) write(name, text string) {
	l.Helper()
	if err := os.WriteFile(filepath.Join(l.home, name), []byte(text), 0o600); err != nil {
		l.Fatal(err)
	}
}

// want checks the exit code, and that something was said.
func (r result) want(t *testing.T, code int, says ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", r.code, code, r.out, r.log)
	}
	for _, s := range says {
		if !strings.Contains(r.out+r.log, s) {
			t.Errorf("nothing says %q:\n%s%s", s, r.out, r.log)
		}
	}
}

// targetFlags are what run needs to find the fakes.
func (l *lab) targetFlags(fakes int) []string {
	flags := []string{"-s", "genode.GenodeSession", "-p", l.port, "--binaries", l.binaries}
	for i := range fakes {
		flags = append(flags, address(i))
	}
	return flags
}

// records are the final records of a campaign by variant, as results prints them.
func (l *lab) records(name string) map[uint64]int {
	l.Helper()
	got := l.genodectl("results", name, "-o", "jsonl", "--where", "final")
	if got.code != 0 {
		l.Fatalf("results: code %d: %s", got.code, got.log)
	}
	all := map[uint64]int{}
	for line := range strings.Lines(got.out) {
		var r export.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			l.Fatalf("%v in %q", err, line)
		}
		all[r.Variant]++
	}
	return all
}

// once checks that each of the variants 0 to n-1 has one final record.
func (l *lab) once(name string, n uint64) {
	l.Helper()
	all := l.records(name)
	for v := range n {
		if all[v] != 1 {
			l.Errorf("variant %d has %d final records", v, all[v])
		}
	}
	if uint64(len(all)) != n {
		l.Errorf("%d variants recorded, want %d", len(all), n)
	}
}
