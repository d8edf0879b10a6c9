package taskloader_test

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestOneVariantFromConnectToClose(t *testing.T) {
	done := make(chan struct{})
	target := serve(t, func(p *peer) {
		defer close(done)
		got := p.description()
		want := string(taskset.Description(oneTask("hey", "ELF").Tasks))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("description (-want +got):\n%s", diff)
		}
		p.want(framing.SendBinaries, 1)
		if name, content := p.binary(); name != "hey" || string(content) != "ELF" {
			t.Errorf("binary %q with %q, want hey with ELF", name, content)
		}
		p.want(framing.Start)
		p.write(profile("START 0 276766", "EXIT 0 276776", "JOBS_DONE 0 276776"))
		p.want(framing.Stop)                // after the end of everything: no query, no drain
		p.want(framing.Stop, framing.Clear) // goodbye
		if _, err := p.in.ReadByte(); err == nil {
			t.Error("the connection goes on after the goodbye")
		}
	})
	registry := session.NewRegistry(nil)
	options := quick()
	options.Registry = registry
	s := connect(t, taskloader.New(options), target)
	if got := registry.Snapshot(); len(got) != 1 || got[0].Target != "arm-0" || got[0].Peer != target.Address {
		t.Errorf("registry while open: %+v", got)
	}
	mustStart(t, s, oneTask("hey", "ELF"))
	want := []string{"START 0 276766", "EXIT 0 276776", "JOBS_DONE 0 276776"}
	if diff := cmp.Diff(want, collect(t, s, 3)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if rest, err := s.Stop(testContext(t)); err != nil || len(rest) != 0 {
		t.Errorf("stop: %v, %v", texts(rest), err)
	}
	row := registry.Snapshot()[0]
	if row.Variants != 1 || row.BytesIn < 150 || row.BytesOut < 300 {
		t.Errorf("counters: %+v", row)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	<-done
	if got := registry.Snapshot(); len(got) != 0 {
		t.Errorf("registry after close: %+v", got)
	}
	if err := s.Start(testContext(t), oneTask("hey", "ELF")); !isErr(err, session.ErrClosed) {
		t.Errorf("start after close: %v", err)
	}
}

func TestFramesAreCutFromTheStream(t *testing.T) {
	glued := bytes.Join([][]byte{
		profile("START 0 10", "EXIT 0 20"), profile(), profile("START 1 11"), profile("DANCED 7 22", "EXIT_CRITICAL 1 23"),
	}, nil)
	want := []string{"START 0 10", "EXIT 0 20", "START 1 11", "DANCED 7 22", "EXIT_CRITICAL 1 23"}
	stale := framed("<profile><events><event type=\"START\" task-id=\"0\" time-stamp=\"1\"/></events></profile>\n=\"9\"/>\n</profile>\n")
	cases := map[string]struct {
		stream []byte
		piece  int
		want   []string
	}{
		"glued together":         {glued, len(glued), want},
		"byte by byte":           {glued, 1, want},
		"in pieces of seven":     {glued, 7, want},
		"with a stale tail":      {stale, len(stale), []string{"START 0 1"}},
		"with a wrapped stamp":   {profile("START 0 4294960", "EXIT 0 3"), 1000, []string{"START 0 4294960", "EXIT 0 4294970"}},
		"with every kind of end": {append(profile("START 0 0"), profile("EXIT 0 1", "EXIT_CRITICAL 0 2", "EXIT_EXTERNAL 0 3", "EXIT_PERIOD 0 4", "EXIT_ERROR 0 5", "OUT_OF_QUOTA 0 6", "OUT_OF_CAPS 0 7", "NOT_SCHEDULED 0 8", "JOBS_DONE 0 9", "EXTERNAL -1 10", "UNKNOWN 0 11")...), 1000, []string{"START 0 0", "EXIT 0 1", "EXIT_CRITICAL 0 2", "EXIT_EXTERNAL 0 3", "EXIT_PERIOD 0 4", "EXIT_ERROR 0 5", "OUT_OF_QUOTA 0 6", "OUT_OF_CAPS 0 7", "NOT_SCHEDULED 0 8", "JOBS_DONE 0 9", "EXTERNAL -1 10", "UNKNOWN 0 11"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			target := serve(t, func(p *peer) {
				p.accept(1)
				for rest := tc.stream; len(rest) > 0; {
					n := min(tc.piece, len(rest))
					p.write(rest[:n])
					rest = rest[n:]
				}
			})
			s := connect(t, taskloader.New(quick()), target)
			mustStart(t, s, oneTask("hey", "ELF"))
			if diff := cmp.Diff(tc.want, collect(t, s, len(tc.want))); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPushWhereGoSendIsDueDoesNoHarm(t *testing.T) {
	target := serve(t, func(p *peer) {
		p.description()
		p.want(framing.SendBinaries, 2)
		p.write(profile("START 0 1", "EXIT_EXTERNAL 0 2"))
		p.binary()
		p.write(profile("EXIT_EXTERNAL 1 3"))
		p.binary()
		p.want(framing.Start)
		p.write(profile("START 0 5", "EXIT 0 6"))
	})
	s := connect(t, taskloader.New(quick()), target)
	run := oneTask("hey", "ELF")
	run.Tasks = append(run.Tasks, run.Tasks[0])
	run.Tasks[1].ID, run.Tasks[1].Pkg = 1, "pi"
	run.Binaries["pi"] = binaryOf("pi", "FLE")
	mustStart(t, s, run)
	if diff := cmp.Diff([]string{"START 0 5", "EXIT 0 6"}, collect(t, s, 2)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestALargeBinaryArrivesWhole(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 285_000/16)
	got := make(chan int, 1)
	small := func(c *net.TCPConn) { c.SetReadBuffer(32 << 10) }
	target := serveWith(t, small, func(p *peer) {
		p.description()
		p.want(framing.SendBinaries, 1)
		_, received := p.binary()
		p.want(framing.Start)
		if string(received) != content {
			t.Errorf("the binary arrived damaged: %d bytes of %d", len(received), len(content))
		}
		got <- len(received)
	})
	s := connect(t, taskloader.New(quick()), target)
	mustStart(t, s, oneTask("pi", content))
	<-got
}

func TestBinariesAreSentAgainOnlyWhenTheyChanged(t *testing.T) {
	var names []string
	var pkgs []string
	done := make(chan struct{})
	variant := func(p *peer, binaries int) {
		text := p.description()
		_, rest, _ := strings.Cut(text, "<pkg>")
		pkg, _, _ := strings.Cut(rest, "<")
		pkgs = append(pkgs, pkg)
		p.want(framing.SendBinaries, framing.Word(binaries))
		for range binaries {
			name, _ := p.binary()
			names = append(names, name)
		}
		p.want(framing.Start)
		p.write(profile("START 0 1", "EXIT 0 2"))
	}
	target := serve(t, func(p *peer) {
		variant(p, 1) // one
		p.want(framing.Stop)
		variant(p, 0) // one again
		p.want(framing.Stop)
		variant(p, 1) // two, under another name
		p.want(framing.Stop)
		variant(p, 0) // one again
		p.want(framing.Stop)
		variant(p, 0) // two again
	}, func(p *peer) {
		variant(p, 1) // a new connection: sent again, and not under the name of one
		close(done)
	})
	c := taskloader.New(quick())
	s := connect(t, c, target)
	for _, content := range []string{"one", "one", "two", "one", "two"} {
		mustStart(t, s, oneTask("tumatmul", content))
		collect(t, s, 2)
	}
	s.Close()
	mustStart(t, connect(t, c, target), oneTask("tumatmul", "two"))
	<-done
	if len(names) != 3 || names[0] != "tumatmul" || names[1] == names[0] || len(names[1]) > 15 || names[2] != names[1] {
		t.Errorf("names on the wire: %q", names)
	}
	want := []string{"tumatmul", "tumatmul", names[1], "tumatmul", names[1], names[1]}
	if diff := cmp.Diff(want, pkgs); diff != "" {
		t.Errorf("pkgs in the descriptions (-want +got):\n%s", diff)
	}
}

func TestStartRefusesBeforeAnythingIsSent(t *testing.T) {
	target := serve(t, func(p *peer) { p.accept(1) })
	s := connect(t, taskloader.New(quick()), target)
	bad := oneTask("hey", "ELF")
	bad.Tasks[0].Priority = 200
	if err := s.Start(testContext(t), bad); !isErr(err, session.ErrUnsupported) || !strings.Contains(err.Error(), "priority: 200") {
		t.Errorf("priority 200: %v", err)
	}
	missing := oneTask("hey", "ELF")
	missing.Binaries = nil
	if err := s.Start(testContext(t), missing); err == nil || !strings.Contains(err.Error(), `binary "hey"`) {
		t.Errorf("missing binary: %v", err)
	}
	if _, err := s.Next(testContext(t)); err == nil || !strings.Contains(err.Error(), "call Start") {
		t.Errorf("next before start: %v", err)
	}
	mustStart(t, s, oneTask("hey", "ELF"))
}

func TestStopDrainsWhatWasKilled(t *testing.T) {
	cases := map[string]struct {
		afterStop func(p *peer)
		want      []string
	}{
		"the push comes at once":                  {func(p *peer) { p.write(profile("START 0 5", "EXIT_EXTERNAL 0 9")) }, []string{"START 0 5", "EXIT_EXTERNAL 0 9"}},
		"the query is answered and nothing comes": {func(p *peer) { p.write(liveFrame("00.hey 2 5 0")) }, nil},
		"the push comes after the answer": {func(p *peer) {
			p.write(append(liveFrame("00.hey 2 5 0"), profile("EXIT_EXTERNAL 0 9")...))
		}, []string{"EXIT_EXTERNAL 0 9"}},
		"nothing comes at all": {func(*peer) {}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			done := make(chan struct{})
			target := serve(t, func(p *peer) {
				p.accept(1)
				p.want(framing.Stop, framing.GetLive)
				tc.afterStop(p)
				p.accept(0)
				close(done)
			})
			s := connect(t, taskloader.New(quick()), target)
			mustStart(t, s, periodic("hey", "ELF"))
			got, err := s.Stop(testContext(t))
			if diff := cmp.Diff(tc.want, texts(got)); diff != "" || err != nil {
				t.Errorf("error %v, events (-want +got):\n%s", err, diff)
			}
			mustStart(t, s, periodic("hey", "ELF"))
			<-done
		})
	}
}

func TestStragglersOfTheVariantBeforeAreSkipped(t *testing.T) {
	target := serve(t, func(p *peer) {
		p.accept(1)
		p.want(framing.Stop, framing.GetLive) // never answered: the drain ends without knowing
		p.accept(0)
		p.write(profile("START 0 5", "EXIT_EXTERNAL 0 9"))
		p.write(profile("START 0 20", "EXIT 0 21"))
		p.write(profile("START 0 22", "EXIT_EXTERNAL 0 23"))
	})
	s := connect(t, taskloader.New(quick()), target)
	mustStart(t, s, periodic("hey", "ELF"))
	mustStart(t, s, periodic("hey", "ELF"))
	want := []string{"START 0 20", "EXIT 0 21", "START 0 22", "EXIT_EXTERNAL 0 23"}
	if diff := cmp.Diff(want, collect(t, s, 4)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestAvailable(t *testing.T) {
	c := taskloader.New(quick())
	target := serve(t, func(p *peer) { p.in.ReadByte() })
	if err := c.Available(testContext(t), target); err != nil {
		t.Errorf("a port that listens: %v", err)
	}
	target.Address = refused(t)
	if err := c.Available(testContext(t), target); !isErr(err, session.ErrUnavailable) {
		t.Errorf("a port that refuses: %v", err)
	}
}

// refused is an address where nobody listens.
func refused(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
