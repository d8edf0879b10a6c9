package session_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/stdio"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// The rows of docs/sessions.md, each with a real client and a fake target.

// site is a class with its registry, and a fake target.
type site struct {
	*faketarget.Target
	registry *session.Registry
	class    session.Class
	there    session.Target
}

func newSite(t *testing.T, o faketarget.Options, c taskloader.Options) *site {
	t.Helper()
	fake, err := faketarget.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	if c.Registry == nil {
		c.Registry = session.NewRegistry(nil)
	}
	return &site{
		Target: fake, registry: c.Registry, class: taskloader.New(c),
		there: session.Target{Name: "arm-0", Address: fake.Address(), Generation: fake.Generation()},
	}
}

func (s *site) connect(t *testing.T) session.Session {
	t.Helper()
	opened, err := s.class.Connect(limited(t), s.there)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.Close() })
	return opened
}

func (s *site) await(t *testing.T, what string, n int) {
	t.Helper()
	if err := s.Await(limited(t), what, n); err != nil {
		t.Fatalf("%d times %s: %v (%d so far)", n, what, err, s.Count(what))
	}
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

var elf = []byte("\x7fELF")

func variant() session.Run {
	return session.Run{
		Tasks:    []taskset.Task{{Name: "hello", Pkg: "hey", Quota: 1 << 20, Priority: 10, NumberOfJobs: 1}},
		Binaries: map[string]session.Binary{"hey": {Name: "hey", Content: elf, SHA256: sha256.Sum256(elf)}},
	}
}

// exchange runs a variant to its end.
func exchange(ctx context.Context, s session.Session) error {
	if err := s.Start(ctx, variant()); err != nil {
		return err
	}
	for {
		events, err := s.Next(ctx)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Type == session.EventJobsDone {
				return nil
			}
		}
	}
}

func exchanges(t *testing.T, s session.Session, n int) {
	t.Helper()
	for range n {
		if err := exchange(limited(t), s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestB01ManyVariantsGoThroughOneSession(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	exchanges(t, s.connect(t), 3)
	if n := s.Count(faketarget.Opened); n != 1 || s.Count("START") != 3 {
		t.Errorf("%d connections for %d variants", n, s.Count("START"))
	}
}

func TestB02OneSessionForEachVariant(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	for range 3 {
		if err := session.With(limited(t), s.class, s.there, func(opened session.Session) error { return exchange(limited(t), opened) }); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Count(faketarget.Opened); n != 3 {
		t.Errorf("%d connections for 3 variants", n)
	}
}

func TestB03AScopeAlwaysCloses(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	broken := errors.New("broken")
	for i, use := range []func(session.Session) error{
		func(session.Session) error { return nil },
		func(session.Session) error { return broken },
		func(session.Session) error { panic(broken) },
	} {
		err := func() (err error) {
			defer func() {
				if r := recover(); r != nil {
					err = r.(error)
				}
			}()
			return session.With(limited(t), s.class, s.there, use)
		}()
		if want := []error{nil, broken, broken}[i]; !errors.Is(err, want) {
			t.Errorf("error = %v, want %v", err, want)
		}
		s.await(t, faketarget.Ended, i+1)
	}
	if n := len(s.registry.Snapshot()); n != 0 {
		t.Errorf("%d sessions are open", n)
	}
}

func TestB04ASessionByHandLeavesNothingBehind(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	files := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(all)
	}
	for range 2 { // the first round opens what the process keeps
		before := files()
		opened := s.connect(t)
		exchanges(t, opened, 4)
		ended := s.Count(faketarget.Ended)
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
		s.await(t, faketarget.Ended, ended+1)
		if after := files(); after != before && s.Count(faketarget.Opened) > 1 {
			t.Errorf("%d open files, %d before", after, before)
		}
	}
}

func TestB05AfterCloseAnotherSessionOpens(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	for range 2 {
		opened := s.connect(t)
		exchanges(t, opened, 3)
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if s.Count(faketarget.Opened) != 2 || s.Count("START") != 6 {
		t.Errorf("%d connections, %d variants", s.Count(faketarget.Opened), s.Count("START"))
	}
}

func TestB06AnIdleSessionStays(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{IOTimeout: 100 * time.Millisecond, Quiet: 10 * time.Millisecond})
	opened := s.connect(t)
	exchanges(t, opened, 1)
	idle, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // longer than every time-out
	defer cancel()
	if events, err := opened.Next(idle); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v, %v", events, err)
	}
	exchanges(t, opened, 1)
	if n := s.Count(faketarget.Opened); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestB07SessionsDoNotHoldEachOtherUp(t *testing.T) {
	c := taskloader.Options{Registry: session.NewRegistry(nil)}
	hung := newSite(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtClear, Do: faketarget.Hang()}}}, c)
	stuck := hung.connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if err := exchange(ctx, stuck); !errors.Is(err, context.Canceled) {
			t.Errorf("on the hung target: %v", err)
		}
	})
	hung.await(t, faketarget.Hung, 1)
	class := taskloader.New(c)
	var others sync.WaitGroup
	for i := range 100 {
		fake, err := faketarget.Start(faketarget.Options{Quiet: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(fake.Close)
		others.Go(func() {
			err := session.With(limited(t), class, session.Target{Name: fmt.Sprint(i), Address: fake.Address(), Generation: taskset.G1608b}, func(s session.Session) error {
				return exchange(limited(t), s)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	others.Wait()
	cancel()
	all.Wait()
}

func TestB08UseAfterCloseIsAnErrorOfItsOwn(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	opened := s.connect(t)
	exchanges(t, opened, 1)
	for range 2 {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
	i := opened.(session.Inspector)
	for name, call := range map[string]func(context.Context) error{
		"start": func(ctx context.Context) error { return opened.Start(ctx, variant()) },
		"next":  func(ctx context.Context) error { _, err := opened.Next(ctx); return err },
		"stop":  func(ctx context.Context) error { _, err := opened.Stop(ctx); return err },
		"live":  func(ctx context.Context) error { _, err := i.Live(ctx); return err },
		"again": func(ctx context.Context) error { return i.Reboot(ctx) },
	} {
		for range 2 {
			if err := call(t.Context()); !errors.Is(err, session.ErrClosed) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestB09TimeOuts(t *testing.T) {
	const limit = 500 * time.Millisecond
	s := newSite(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtGoSend, Do: faketarget.Hang()}}}, taskloader.Options{IOTimeout: limit})
	opened := s.connect(t)
	began := time.Now()
	err := opened.Start(limited(t), variant())
	if took := time.Since(began); !errors.Is(err, session.ErrTimeout) || took < limit || took > 4*limit {
		t.Errorf("a silent target: %v after %v, want %v", err, took, limit)
	}
	if again := opened.Start(limited(t), variant()); !errors.Is(again, session.ErrTimeout) {
		t.Errorf("the session goes on after a time-out: %v", again)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
	s.Refuse()
	began = time.Now()
	if _, err := s.class.Connect(limited(t), s.there); !errors.Is(err, session.ErrUnavailable) || time.Since(began) > 2*time.Second {
		t.Errorf("a target that refuses: %v after %v", err, time.Since(began))
	}
}

func TestB11ANameThatDoesNotFitIsRefusedBeforehand(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	opened := s.connect(t)
	run := variant()
	run.Tasks[0].Pkg = "sixteen-letters-"
	if err := opened.Start(limited(t), run); !errors.Is(err, session.ErrUnsupported) || !strings.Contains(err.Error(), "1 to 15 characters") {
		t.Errorf("error = %v", err)
	}
	exchanges(t, opened, 1)
	if n := s.Count("SEND_DESCS"); n != 1 {
		t.Errorf("%d descriptions were sent", n)
	}
}

func TestB12AFrameBeyondTheLimitEndsTheSession(t *testing.T) {
	s := newSite(t, faketarget.Options{
		Faults: []faketarget.Fault{{At: faketarget.AtPush, Do: faketarget.Replace([]byte("\x00\x00\x00\x7f<profile>"))}},
	}, taskloader.Options{})
	opened := s.connect(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := exchange(limited(t), opened)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, session.ErrGarbage) || !strings.Contains(err.Error(), "2130706432") {
		t.Errorf("error = %v", err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes were allocated for a frame that claims 2 GiB", grown)
	}
	if err := opened.Start(limited(t), variant()); !errors.Is(err, session.ErrGarbage) {
		t.Errorf("the session goes on: %v", err)
	}
}

// G3 of taskgen's defects: the end of the file inside a frame was an endless loop.
func TestB15TheEndInsideAMessageIsAnother(t *testing.T) {
	for name, test := range map[string]struct {
		do   faketarget.Action
		want error
	}{
		"between messages": {faketarget.Skip(), io.EOF},
		"inside a length":  {faketarget.Replace([]byte{154}), io.ErrUnexpectedEOF},
		"inside a frame":   {faketarget.Replace([]byte("\x9a\x00\x00\x00<profile>")), io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtPush, Do: test.do}}}, taskloader.Options{})
			opened := s.connect(t)
			if err := opened.Start(limited(t), variant()); err != nil {
				t.Fatal(err)
			}
			s.await(t, "START", 1)
			s.Drop(false)
			_, err := opened.Next(limited(t))
			if !errors.Is(err, session.ErrLost) || !errors.Is(err, test.want) {
				t.Errorf("error = %v, want %v", err, test.want)
			}
		})
	}
}

func TestB17AResetIsNoStackTrace(t *testing.T) {
	s := newSite(t, faketarget.Options{Job: faketarget.Takes(faketarget.Endless)}, taskloader.Options{})
	opened := s.connect(t)
	if err := opened.Start(limited(t), variant()); err != nil {
		t.Fatal(err)
	}
	s.await(t, "START", 1)
	s.Drop(true)
	if _, err := opened.Next(limited(t)); !errors.Is(err, session.ErrReset) || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("error = %v", err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}

// The system asks a silent peer after 5 s, and gives up on it after three questions: column 6 of /proc/net/tcp is
// 02 while a keep-alive timer runs, and the time to its end in hundredths of a second.
func TestB19DeadPeersAreNoticed(t *testing.T) {
	s := newSite(t, faketarget.Options{Address: "127.0.0.1:0"}, taskloader.Options{})
	s.connect(t)
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Skip(err)
	}
	_, port, err := net.SplitHostPort(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	var number int
	if _, err := fmt.Sscan(port, &number); err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(fmt.Sprintf(`(?m)^ *\d+: \S+ 0100007F:%04X 01 \S+ 02:([0-9A-F]{8}) `, number)).FindStringSubmatch(string(table))
	if row == nil {
		t.Fatalf("no keep-alive timer runs for the connection to port %d in\n%s", number, table)
	}
	var left int64
	if _, err := fmt.Sscanf(row[1], "%X", &left); err != nil || left > 500 {
		t.Errorf("the peer is asked in %d hundredths of a second, %v", left, err)
	}
}

func TestB22BytesAreLoggedOnDemandOnly(t *testing.T) {
	for verbosity, want := range map[int]bool{4: false, 6: true} {
		var mu sync.Mutex
		var lines []string
		log := funcr.New(func(_, args string) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, args)
		}, funcr.Options{Verbosity: verbosity})
		s := newSite(t, faketarget.Options{}, taskloader.Options{Log: log})
		opened := s.connect(t)
		exchanges(t, opened, 1)
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
		all := strings.Join(lines, "\n")
		for _, part := range []string{
			`"msg"="Sent" "target"="arm-0" "bytes"=8 "hex"="e64d5100e60d0000"`, // the goodbye
			`"msg"="Received" "target"="arm-0" "bytes"=4 "hex"="90000000" "text"="\"\\x90\\x00\\x00\\x00\""`,
			`7f454c46`, `<pkg>hey</pkg>`, `<event type=`,
		} {
			if strings.Contains(all, part) != want {
				t.Errorf("verbosity %d: %s is there: %v, in\n%s", verbosity, part, !want, all)
			}
		}
	}
}

func TestC01TheRegistryKnowsAPropertyAndNoObject(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	opened := s.connect(t)
	exchanges(t, opened, 2)
	row := s.registry.Snapshot()[0]
	in, out := opened.Traffic()
	want := session.OpenSession{ID: 1, Target: "arm-0", Peer: s.Address(), Since: row.Since, BytesIn: in, BytesOut: out, Variants: 2}
	if row != want || in == 0 || out == 0 {
		t.Errorf("row %+v, want %+v", row, want)
	}
}

// A thousand sessions end in each way that there is, 16 at a time; nothing is left.
func TestC02EverySessionLeavesOnEveryPath(t *testing.T) {
	s := newSite(t, faketarget.Options{Quiet: true}, taskloader.Options{})
	gone := newSite(t, faketarget.Options{Quiet: true}, taskloader.Options{Registry: s.registry})
	gone.Refuse()
	broken := errors.New("broken")
	ways := []func() error{
		func() error {
			return session.With(limited(t), s.class, s.there, func(session.Session) error { return nil })
		},
		func() error {
			return session.With(limited(t), s.class, s.there, func(session.Session) error { return broken })
		},
		func() error {
			return session.With(limited(t), s.class, s.there, func(session.Session) error { panic(broken) })
		},
		func() error {
			opened, err := s.class.Connect(limited(t), s.there)
			return errors.Join(err, opened.Close(), opened.Close())
		},
		func() error { _, err := s.class.Connect(limited(t), gone.there); return err },
	}
	wants := []error{nil, broken, broken, nil, session.ErrUnavailable}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for i := range 64 {
				k := i % len(ways)
				err := func() (err error) {
					defer func() {
						if r := recover(); r != nil {
							err = r.(error)
						}
					}()
					return ways[k]()
				}()
				if !errors.Is(err, wants[k]) {
					t.Errorf("way %d: %v, want %v", k, err, wants[k])
				}
				s.registry.Snapshot()
			}
		})
	}
	all.Wait()
	if rows := s.registry.Snapshot(); len(rows) != 0 {
		t.Errorf("%d sessions are left: %+v", len(rows), rows[0])
	}
}

func TestC03SessionsCloseWhileTheyAreListed(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	open := map[uint64]session.Session{}
	for i := range 3 {
		open[uint64(i+1)] = s.connect(t)
	}
	for i, row := range s.registry.Snapshot() {
		if i == 1 {
			if err := open[row.ID].Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if rows := s.registry.Snapshot(); len(rows) != 2 || rows[0].ID != 1 || rows[1].ID != 3 {
		t.Errorf("left: %+v", rows)
	}
}

func TestC04AWatcherIsToldOfEveryChange(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	changes, stop := s.registry.Watch()
	defer stop()
	sizes := func() int { <-changes; return len(s.registry.Snapshot()) }
	if n := sizes(); n != 0 {
		t.Errorf("%d sessions at first", n)
	}
	opened := s.connect(t)
	if n := sizes(); n != 1 {
		t.Errorf("%d sessions after one has opened", n)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
	if n := sizes(); n != 0 {
		t.Errorf("%d sessions after it has closed", n)
	}
}

func TestC05AClassWithoutAnEntryIsRefused(t *testing.T) {
	classes := session.Classes{"Stdio": stdio.New(io.Discard), "Genode": taskloader.New(taskloader.Options{})}
	for _, class := range []string{"", "SimSo"} {
		there := session.Target{Name: "arm-0", Class: class}
		_, err := classes.Connect(t.Context(), there)
		for _, err := range []error{err, classes.Available(t.Context(), there)} {
			if !errors.Is(err, session.ErrUnsupported) || !strings.Contains(err.Error(), "use one of [Genode Stdio]") {
				t.Errorf("class %q: %v", class, err)
			}
		}
	}
	if err := session.With(t.Context(), classes, session.Target{Class: "Stdio"}, func(s session.Session) error { return exchange(t.Context(), s) }); err != nil {
		t.Error(err)
	}
}

func TestC06ToConnectToAHungTargetDoesNotLast(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{ProbeTimeout: 50 * time.Millisecond})
	s.Hang()
	s.there.Generation = taskset.Auto
	began := time.Now()
	opened := s.connect(t)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if rows := s.registry.Snapshot(); len(rows) != 1 {
		t.Errorf("%d sessions", len(rows))
	}
	s.Thaw()
	exchanges(t, opened, 1)
}

// wrapped is a session in another one.
type wrapped struct{ session.Session }

func (w wrapped) Unwrap() session.Session { return w.Session }

func TestAWrappedSessionShowsWhatItCanDo(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	opened := s.connect(t)
	i, can := session.InspectorOf(wrapped{wrapped{opened}})
	if !can || session.Session(i) != opened {
		t.Errorf("inspector %v, %v", i, can)
	}
	dry, err := stdio.New(io.Discard).Connect(t.Context(), session.Target{})
	if err != nil {
		t.Fatal(err)
	}
	defer dry.Close()
	for _, none := range []session.Session{dry, wrapped{dry}, wrapped{}, nil} {
		if _, can := session.InspectorOf(none); can {
			t.Errorf("%v is an inspector", none)
		}
	}
}

func TestC07EveryConnectionIsAnnouncedOnce(t *testing.T) {
	s := newSite(t, faketarget.Options{}, taskloader.Options{})
	changes, stop := s.registry.Watch()
	defer stop()
	<-changes
	for id := uint64(1); id <= 3; id++ {
		opened := s.connect(t)
		<-changes
		if rows := s.registry.Snapshot(); len(rows) != 1 || rows[0].ID != id {
			t.Errorf("connection %d: %+v", id, rows)
		}
		exchanges(t, opened, 1)
		select {
		case <-changes:
			t.Errorf("connection %d was announced twice", id)
		default:
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
		<-changes
	}
}

func TestEveryTestThatTheDocumentationNamesIsThere(t *testing.T) {
	page, err := os.ReadFile("../../docs/sessions.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources []byte
	for _, pattern := range []string{"*_test.go", "../../test/parity/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, source...)
		}
	}
	named := regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(page, -1)
	if len(named) < 20 {
		t.Errorf("the page names %d tests", len(named))
	}
	for _, n := range named {
		if !bytes.Contains(sources, []byte("func "+string(n[1])+"(")) {
			t.Errorf("there is no %s", n[1])
		}
	}
}
