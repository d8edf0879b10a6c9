package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// screen is what a program writes, for others to wait for.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// shows waits until a text is on the screen.
func (s *screen) shows(t *testing.T, want string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !strings.Contains(s.String(), want) {
		if time.Now().After(deadline) {
			t.Fatalf("the screen does not show %q:\n%s", want, s)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// genodectl is a command on the lab's agent.
func (l *lab) genodectl(ctx context.Context, command string, flags ...string) *exec.Cmd {
	l.Helper()
	host, _, _ := strings.Cut(l.secure, ":")
	args := append([]string{command, host, "--agent-credentials", l.credentials}, flags...)
	cmd := exec.CommandContext(ctx, program(l.T, "genodectl"), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}

// openTerminal opens a pseudo terminal: the side of the person, and that of the program.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	raw, err := person.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	err = errors.Join(raw.Control(func(fd uintptr) {
		err = errors.Join(unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Col: 101, Row: 31}))
		number, _ = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
	}), err)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

// modes are the settings of a terminal.
func modes(t *testing.T, f *os.File) unix.Termios {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var modes *unix.Termios
	if failed := raw.Control(func(fd uintptr) { modes, err = unix.IoctlGetTermios(int(fd), unix.TCGETS) }); errors.Join(failed, err) != nil {
		t.Fatal(failed, err)
	}
	return *modes
}

func TestATerminalIsAttachedAndDetached(t *testing.T) {
	l := boot(t, "--console-policy=genodectl=steal", "--console-policy=ci=steal")
	l.booted()
	person, side := openTerminal(t)
	before := modes(t, side)
	shown := &screen{}
	go func() { _, _ = io.Copy(shown, person) }()
	cmd := l.genodectl(t.Context(), "console")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	shown.shows(t, "connected to serial line 0")
	shown.shows(t, strings.TrimSpace(greeting))
	if modes(t, side) == before {
		t.Error("the terminal keeps keys for itself")
	}
	if _, err := io.WriteString(person, "a\x03b\x04c"); err != nil { // keys that a terminal would act upon
		t.Fatal(err)
	}
	shown.shows(t, "a\x03b\x04c")
	eyes, n := l.greet("ci", share.Read)
	if n.Columns != 101 || n.Rows != 31 {
		t.Errorf("the terminal's size: %+v", n)
	}
	eyes.close()
	thief := l.attach("ci", share.Steal)
	shown.shows(t, "ci at 127.")
	shown.shows(t, "has taken the line")
	if err := thief.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.WriteString(person, "\x1d"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v:\n%s", err, shown)
	}
	shown.shows(t, "detached from")
	if modes(t, side) != before {
		t.Error("the terminal is not as it was")
	}
	l.attached(0)
}

func TestAConsoleThatIsDeniedSaysWhy(t *testing.T) {
	l := boot(t, "--console-policy=genodectl=read")
	out, err := l.genodectl(t.Context(), "console").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "Forbidden: the console policy of label \"genodectl\" grants read, not write") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestLogsArePrintedAndFollowed(t *testing.T) {
	l := boot(t, "--console-policy=ci=write")
	l.booted()
	c, _ := l.greet("ci", share.Write)
	c.until(greeting)
	c.echoed("[init -> nic] Warning: typed\nplain\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	followed := &screen{}
	follow := l.genodectl(ctx, "logs", "-f", "--tail=1")
	follow.Stdout, follow.Stderr = followed, followed
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	followed.shows(t, "plain\n")
	print := func(flags ...string) string {
		t.Helper()
		out, err := l.genodectl(t.Context(), "logs", flags...).CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v: %s", flags, err, out)
		}
		return string(out)
	}
	if got, want := print(), "the guest is up\n[init -> nic] Warning: typed\nplain\n"; got != want {
		t.Errorf("logs: %q, want %q", got, want)
	}
	if got, want := print("--level=warning"), "[init -> nic] Warning: typed\n"; got != want {
		t.Errorf("--level: %q, want %q", got, want)
	}
	if err := l.api.Do(t.Context(), agentapi.ActionReset); err != nil {
		t.Fatal(err)
	}
	followed.shows(t, "the guest is up\n") // goes on over the reset
	if got, want := print(), "the guest is up\n"; got != want {
		t.Errorf("after the reset: %q, want %q", got, want)
	}
	if got, want := print("--previous", "--tail=1"), "plain\n"; got != want {
		t.Errorf("--previous: %q, want %q", got, want)
	}
	cancel()
	if err := follow.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("following ended with %v:\n%s", err, followed)
	}
}

// sources reads what a program is made of, so that a result of the tests that Go has kept is not believed
// after a change.
func sources(t *testing.T, folders ...string) {
	t.Helper()
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", folder, len(files), err)
		}
		for _, file := range files {
			if _, err := os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
	}
}
