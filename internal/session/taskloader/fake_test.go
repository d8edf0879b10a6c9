package taskloader_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is the target's end of one connection; a test's script drives it.
type peer struct {
	t    testing.TB
	conn *net.TCPConn
	in   *bufio.Reader
	end  <-chan struct{} // closed when the test is over
}

// errGone ends a script whose client has closed.
var errGone = errors.New("the client is gone")

// serve runs one script for each connection, in order, on a loopback listener.
func serve(t testing.TB, scripts ...func(p *peer)) session.Target {
	t.Helper()
	return serveWith(t, func(*net.TCPConn) {}, scripts...)
}

func serveWith(t testing.TB, prepare func(*net.TCPConn), scripts ...func(p *peer)) session.Target {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for _, script := range scripts {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			prepare(conn.(*net.TCPConn))
			p := &peer{t: t, conn: conn.(*net.TCPConn), in: bufio.NewReader(conn), end: end}
			wg.Go(func() { p.run(script) })
		}
	})
	t.Cleanup(func() {
		close(end)
		listener.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return session.Target{Name: "arm-0", Address: listener.Addr().String(), Generation: "1608b"}
}

func (p *peer) run(script func(*peer)) {
	defer func() {
		r := recover()
		if err, _ := r.(error); r != nil && !errors.Is(err, errGone) {
			panic(r)
		}
	}()
	script(p)
}

func (p *peer) read(n int) []byte {
	buf := make([]byte, n)
	if _, err := io.ReadFull(p.in, buf); err != nil {
		panic(errGone)
	}
	return buf
}

func (p *peer) word() framing.Word { return framing.Word(binary.LittleEndian.Uint32(p.read(4))) }

// want reads words and checks them.
func (p *peer) want(words ...framing.Word) {
	for _, want := range words {
		if got := p.word(); got != want {
			p.t.Errorf("the client sent %#x, want %#x", got, want)
			panic(errGone)
		}
	}
}

func (p *peer) write(b []byte) {
	if _, err := p.conn.Write(b); err != nil {
		panic(errGone)
	}
}

func (p *peer) words(words ...framing.Word) { p.write(framing.AppendWords(nil, words...)) }

// description reads CLEAR and SEND_DESCS and returns the document.
func (p *peer) description() string {
	p.want(framing.Clear, framing.SendDescs)
	return string(p.read(int(p.word())))
}

// binary asks for one binary and returns its name and content.
func (p *peer) binary() (string, []byte) {
	p.words(framing.GoSend)
	name := string(p.read(16))
	return strings.TrimRight(name, "\x00"), p.read(int(p.word()))
}

// accept goes through a whole Start with the given number of binaries, and returns their names.
func (p *peer) accept(binaries int) []string {
	p.description()
	p.want(framing.SendBinaries, framing.Word(binaries))
	var names []string
	for range binaries {
		name, _ := p.binary()
		names = append(names, name)
	}
	p.want(framing.Start)
	return names
}

// profile is a frame with events written as "TYPE id stamp".
func profile(events ...string) []byte {
	text := "<profile>\n\t<events>\n"
	for _, e := range events {
		var kind string
		var id, stamp int64
		if _, err := fmt.Sscan(e, &kind, &id, &stamp); err != nil {
			panic(err)
		}
		text += fmt.Sprintf("\t\t<event type=%q task-id=\"%d\" time-stamp=\"%d\"/>\n", kind, id, stamp)
	}
	return framed(text + "\t</events>\n</profile>\n")
}

func framed(text string) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(text)+1)), text+"\x00"...)
}

// liveFrame has one row for each "session state start exit".
func liveFrame(rows ...string) []byte {
	text := "<live>\n\t<task-descriptions>\n"
	for i, row := range rows {
		var label string
		var state, start, exit int
		if _, err := fmt.Sscan(row, &label, &state, &start, &exit); err != nil {
			panic(err)
		}
		text += fmt.Sprintf("\t\t<task id=\"%d\" session=\"init -&gt; taskloader -&gt; %s\" thread=\"ep\" state=\"%d\" arrival-time=\"%d\" start-time=\"%d\" exit-time=\"%d\" execution-time=\"0\"/>\n", i, label, state, start, start, exit)
	}
	return framed(text + "\t</task-descriptions>\n</live>\n")
}

// quick are options whose time-outs a test can wait for.
func quick() taskloader.Options {
	return taskloader.Options{
		IOTimeout: 5 * time.Second, ProbeTimeout: 100 * time.Millisecond,
		Quiet: 100 * time.Millisecond, QuietAfterAnswer: 20 * time.Millisecond, PollInterval: time.Millisecond,
	}
}

func connect(t testing.TB, c *taskloader.Class, target session.Target) session.Session {
	t.Helper()
	s, err := c.Connect(testContext(t), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func binaryOf(name, content string) session.Binary {
	return session.Binary{Name: name, Content: []byte(content), SHA256: sha256.Sum256([]byte(content))}
}

// oneTask is a run of one task that is released once.
func oneTask(pkg, content string) session.Run {
	return session.Run{
		Tasks:    []taskset.Task{{Name: "t", Pkg: pkg, Quota: 1 << 20, Priority: 10, NumberOfJobs: 1}},
		Binaries: map[string]session.Binary{pkg: binaryOf(pkg, content)},
	}
}

// periodic is a run of one task with a period.
func periodic(pkg, content string) session.Run {
	r := oneTask(pkg, content)
	r.Tasks[0].Period, r.Tasks[0].NumberOfJobs = 20, 3
	return r
}

func mustStart(t *testing.T, s session.Session, run session.Run) {
	t.Helper()
	if err := s.Start(testContext(t), run); err != nil {
		t.Fatal(err)
	}
}

// texts writes events as "TYPE id stamp".
func texts(events []session.Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, fmt.Sprint(e.Type, " ", e.TaskID, " ", e.Stamp))
	}
	return out
}

// collect calls Next until n events have come.
func collect(t *testing.T, s session.Session, n int) []string {
	t.Helper()
	var all []session.Event
	for len(all) < n {
		events, err := s.Next(testContext(t))
		if err != nil {
			t.Fatalf("after %v: %v", texts(all), err)
		}
		all = append(all, events...)
	}
	return texts(all)
}
