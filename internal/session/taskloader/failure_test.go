package taskloader_test

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

// isErr reports whether err is want and none of the other kinds.
func isErr(err, want error) bool {
	for _, kind := range []error{
		session.ErrLost, session.ErrReset, session.ErrTimeout, session.ErrGarbage, session.ErrClosed,
		session.ErrUnavailable, session.ErrUnsupported,
	} {
		if errors.Is(err, kind) != errors.Is(kind, want) {
			return false
		}
	}
	return true
}

func (p *peer) reset() {
	p.conn.SetLinger(0)
	p.conn.Close()
}

func (p *peer) silence() { p.in.ReadByte() } // until the client gives up

func TestEachWayToFailIsAnErrorOfItsOwn(t *testing.T) {
	half := profile("START 0 1", "EXIT 0 2")[:60]
	huge := binary.LittleEndian.AppendUint32(nil, 0x7fffffff)
	cases := map[string]struct {
		inStart bool // the script replaces Start's GO_SEND; otherwise it runs after START
		script  func(p *peer)
		want    error
		says    string
	}{
		"closed between frames":         {false, func(p *peer) { p.conn.Close() }, session.ErrLost, "closed the connection"},
		"closed inside a frame":         {false, func(p *peer) { p.write(half); p.conn.Close() }, session.ErrLost, "60 bytes of a frame"},
		"reset":                         {false, (*peer).reset, session.ErrReset, "wait for events"},
		"a huge length":                 {false, func(p *peer) { p.write(huge); p.silence() }, session.ErrGarbage, "2147483647"},
		"no length":                     {false, func(p *peer) { p.write(make([]byte, 4)); p.silence() }, session.ErrGarbage, "a frame of 0"},
		"a frame of garbage":            {false, func(p *peer) { p.write(framed("garbage")); p.silence() }, session.ErrGarbage, "begins with 'g'"},
		"garbage in a frame":            {false, func(p *peer) { p.write(framed("<profile><events></profile>")); p.silence() }, session.ErrGarbage, "malformed document"},
		"half a frame, then silence":    {false, func(p *peer) { p.write(half); p.silence() }, session.ErrTimeout, "60 bytes of a frame"},
		"silence where GO_SEND is due":  {true, (*peer).silence, session.ErrTimeout, "GO_SEND for binary hey"},
		"closed where GO_SEND is due":   {true, func(p *peer) { p.conn.Close() }, session.ErrLost, "GO_SEND for binary hey"},
		"reset where GO_SEND is due":    {true, (*peer).reset, session.ErrReset, "GO_SEND"},
		"garbage where GO_SEND is due":  {true, func(p *peer) { p.write(framed("<x/>")); p.silence() }, session.ErrGarbage, "GO_SEND"},
		"a length where GO_SEND is due": {true, func(p *peer) { p.write(huge); p.silence() }, session.ErrGarbage, "GO_SEND"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := serve(t, func(p *peer) {
				if tc.inStart {
					p.description()
					p.want(framing.SendBinaries, 1)
				} else {
					p.accept(1)
				}
				tc.script(p)
			})
			options := quick()
			options.IOTimeout = 300 * time.Millisecond
			s := connect(t, taskloader.New(options), target)
			err := s.Start(testContext(t), oneTask("hey", "ELF"))
			if !tc.inStart && err == nil {
				_, err = s.Next(testContext(t))
			}
			if !isErr(err, tc.want) || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "arm-0") {
				t.Fatalf("error %v, want %v that names arm-0 and says %q", err, tc.want, tc.says)
			}
			for call, again := range map[string]func() error{
				"Start": func() error { return s.Start(testContext(t), oneTask("hey", "ELF")) },
				"Next":  func() error { _, err := s.Next(testContext(t)); return err },
				"Stop":  func() error { _, err := s.Stop(testContext(t)); return err },
			} {
				if got := again(); got == nil || got.Error() != err.Error() {
					t.Errorf("%s of the poisoned session: %v", call, got)
				}
			}
		})
	}
}

func TestATargetThatDoesNotReadTimesOut(t *testing.T) {
	target := serve(t, func(p *peer) {
		p.description()
		p.want(framing.SendBinaries, 1)
		p.words(framing.GoSend)
		<-p.end // without reading on
	})
	options := quick()
	options.IOTimeout = 200 * time.Millisecond
	s := connect(t, taskloader.New(options), target)
	if err := s.Start(testContext(t), oneTask("hey", strings.Repeat("x", 32<<20))); !isErr(err, session.ErrTimeout) {
		t.Errorf("error %v, want a time-out", err)
	}
}

func TestASlowClearIsNoFailure(t *testing.T) {
	target := serve(t, func(p *peer) {
		time.Sleep(300 * time.Millisecond) // the target's CLEAR takes so long
		p.accept(1)
		p.write(profile("START 0 1", "EXIT 0 2"))
	})
	s := connect(t, taskloader.New(quick()), target)
	mustStart(t, s, oneTask("hey", "ELF"))
	collect(t, s, 2)
}

func TestConnectFails(t *testing.T) {
	c := taskloader.New(quick())
	target := session.Target{Name: "arm-0", Address: refused(t), Generation: "1608b"}
	if _, err := c.Connect(testContext(t), target); !isErr(err, session.ErrUnavailable) || !strings.Contains(err.Error(), target.Address) {
		t.Errorf("refused: %v", err)
	}
	target.Generation = "1903"
	if _, err := c.Connect(testContext(t), target); !isErr(err, session.ErrUnsupported) {
		t.Errorf("unknown generation: %v", err)
	}
	gone, cancel := context.WithCancel(testContext(t))
	cancel()
	target.Generation = "1608b"
	if _, err := c.Connect(gone, target); !errors.Is(err, context.Canceled) || !isErr(err, nil) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestConnectToAChattyOrDyingTargetFails(t *testing.T) {
	registry := session.NewRegistry(nil)
	options := quick()
	options.Registry = registry
	for name, tc := range map[string]struct {
		script func(p *peer)
		want   error
	}{
		"it closes":     {func(p *peer) { p.want(framing.GetProfile, framing.Available); p.conn.Close() }, session.ErrLost},
		"it talks HTTP": {func(p *peer) { p.write([]byte("HTTP/1.1 400\r\n")); p.silence() }, session.ErrGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			target := serve(t, tc.script)
			target.Generation = "Auto"
			if _, err := taskloader.New(options).Connect(testContext(t), target); !isErr(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
			if got := registry.Snapshot(); len(got) != 0 {
				t.Errorf("the registry still holds %+v", got)
			}
		})
	}
}

func TestCancelUnblocksEveryPhase(t *testing.T) {
	big := strings.Repeat("x", 32<<20)
	cases := map[string]struct {
		content string
		script  func(p *peer, reached func())
		use     func(ctx context.Context, s session.Session) error
	}{
		"waiting for GO_SEND": {"ELF", func(p *peer, reached func()) {
			p.description()
			p.want(framing.SendBinaries, 1)
			reached()
			p.silence()
		}, nil},
		"sending a binary": {big, func(p *peer, reached func()) {
			p.description()
			p.want(framing.SendBinaries, 1)
			p.words(framing.GoSend)
			p.read(1 << 20)
			reached()
			<-p.end // without reading on
		}, nil},
		"waiting for events": {"ELF", func(p *peer, reached func()) {
			p.accept(1)
			reached()
			p.silence()
		}, func(ctx context.Context, s session.Session) error { _, err := s.Next(ctx); return err }},
		"draining": {"ELF", func(p *peer, reached func()) {
			p.accept(1)
			p.want(framing.Stop, framing.GetLive)
			reached()
			p.silence()
		}, func(ctx context.Context, s session.Session) error { _, err := s.Stop(ctx); return err }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(testContext(t))
			defer cancel()
			target := serve(t, func(p *peer) { tc.script(p, cancel) })
			options := quick()
			options.IOTimeout, options.Quiet = time.Hour, time.Hour // nothing but ctx ends a wait
			s := connect(t, taskloader.New(options), target)
			err := s.Start(ctx, oneTask("hey", tc.content))
			if tc.use != nil && err == nil {
				err = tc.use(ctx, s)
			}
			if !errors.Is(err, context.Canceled) || !isErr(err, nil) {
				t.Errorf("error %v, want the context's", err)
			}
		})
	}
}

func TestAfterACancelledNextNothingIsLost(t *testing.T) {
	resume := make(chan struct{})
	half := profile("START 0 1", "EXIT 0 2")
	target := serve(t, func(p *peer) {
		p.accept(1)
		p.write(half[:50])
		<-resume
		p.write(half[50:])
	})
	s := connect(t, taskloader.New(quick()), target)
	mustStart(t, s, oneTask("hey", "ELF"))
	ctx, cancel := context.WithTimeout(testContext(t), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want the deadline's", err)
	}
	close(resume)
	collect(t, s, 2)
}

func TestCloseInterruptsACall(t *testing.T) {
	reached := make(chan struct{})
	goodbye := make(chan struct{})
	target := serve(t, func(p *peer) {
		p.accept(1)
		close(reached)
		p.want(framing.Stop, framing.Clear)
		close(goodbye)
	})
	s := connect(t, taskloader.New(quick()), target)
	mustStart(t, s, oneTask("hey", "ELF"))
	failed := make(chan error, 1)
	go func() {
		_, err := s.Next(testContext(t))
		failed <- err
	}()
	<-reached
	s.Close()
	if err := <-failed; !isErr(err, session.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
	<-goodbye
}
