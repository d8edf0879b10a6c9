package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type machine struct{ did chan string }

func (m machine) Hang() error   { m.did <- "hang"; return nil }
func (m machine) Crash() error  { m.did <- "crash"; return nil }
func (m machine) Silent() error { return errors.New("no network of its own") }
func (m machine) Stall(on bool) { m.did <- fmt.Sprint("stall ", on) }
func (m machine) Exit() error   { m.did <- "exit"; return nil }
func (m machine) Busy(n int) error {
	m.did <- fmt.Sprint("busy ", n)
	return nil
}

func (m machine) BusyRealTime(n int) error {
	m.did <- fmt.Sprint("fifo ", n)
	return nil
}

func TestCommands(t *testing.T) {
	cases := map[string]struct {
		send string
		want string
		did  string
	}{
		"hang is acknowledged and done":        {"hang", "ok hang", "hang"},
		"stall":                                {"stall", "ok stall", "stall true"},
		"resume":                               {"resume", "ok resume", "stall false"},
		"busy takes a number":                  {"busy 3", "ok busy 3", "busy 3"},
		"busy can be real-time":                {"busy 3 fifo", "ok busy 3 fifo", "fifo 3"},
		"blanks and carriage returns are fine": {"  crash \r", "ok crash", "crash"},
		"busy without a number":                {"busy", "error busy wants a number, and fifo if they shall be real-time: busy 2 fifo", ""},
		"busy with nonsense":                   {"busy many", `error busy "many" is no number from 0 to 64`, ""},
		"an argument where none belongs":       {"hang now", "error hang takes no argument", ""},
		"an unknown command":                   {"dance", `error unknown command "dance", try help`, ""},
		"empty lines are skipped":              {"\n\nexit", "ok exit", "exit"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m, conn := serve(t)
			fmt.Fprintf(conn, "%s\n", tc.send)
			if got := answer(t, conn); got != tc.want {
				t.Errorf("answer %q, want %q", got, tc.want)
			}
			did := ""
			if tc.did != "" {
				did = <-m.did
			}
			if diff := cmp.Diff(tc.did, did); diff != "" {
				t.Errorf("act (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatCannotBeDoneIsSaidAfterTheAcknowledgement(t *testing.T) {
	_, conn := serve(t)
	fmt.Fprintln(conn, "silent")
	lines := bufio.NewScanner(conn)
	var got []string
	for len(got) < 2 && lines.Scan() {
		got = append(got, lines.Text())
	}
	if diff := cmp.Diff([]string{"ok silent", "error silent: no network of its own"}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	_, conn := serve(t)
	fmt.Fprintln(conn, "help")
	lines, text := bufio.NewScanner(conn), ""
	for lines.Scan() && lines.Text() != "ok help" {
		text += lines.Text() + "\n"
	}
	for _, name := range []string{"hang", "crash", "silent", "stall", "resume", "exit", "busy"} {
		if !strings.Contains(text, "\n"+name) && !strings.HasPrefix(text, name) {
			t.Errorf("help does not name %s:\n%s", name, text)
		}
	}
}

func TestALongLineEndsTheConnectionAndNotTheServer(t *testing.T) {
	m, conn := serve(t)
	fmt.Fprint(conn, strings.Repeat("x", 10_000))
	if _, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
		t.Error("a line of 10,000 bytes was answered")
	}
	again, err := net.Dial("tcp", conn.RemoteAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	fmt.Fprintln(again, "exit")
	if got := answer(t, again); got != "ok exit" {
		t.Errorf("answer %q", got)
	}
	<-m.did
}

func serve(t *testing.T) (machine, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := machine{did: make(chan string, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- New(m, logr.Discard()).Serve(ctx, ln) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	t.Cleanup(func() {
		conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return m, conn
}

func answer(t *testing.T, conn net.Conn) string {
	t.Helper()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}
