package taskloader_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

func TestTheGenerationIsFoundOut(t *testing.T) {
	cases := map[string]struct {
		answer []byte
		want   string
	}{
		"AVAILABLE comes back":                   {framing.AppendWords(nil, framing.Available), "1802"},
		"AVAILABLE comes back behind an old log": {append(profile("EXIT 0 5"), framing.AppendWords(nil, framing.Available)...), "1802"},
		"an empty log is sent":                   {profile(), "1608a"},
		"an old log is sent":                     {profile("EXIT 0 5"), "1608b"},
		"nothing is answered":                    {nil, "1608b"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := serve(t, func(p *peer) {
				p.want(framing.GetProfile, framing.Available)
				p.write(tc.answer)
				p.silence()
			})
			target.Generation = "Auto"
			if got := connect(t, taskloader.New(quick()), target).Generation(); got != tc.want {
				t.Errorf("generation %s, want %s", got, tc.want)
			}
		})
	}
}

func TestALateEchoCorrectsTheGeneration(t *testing.T) {
	target := serve(t, func(p *peer) {
		p.want(framing.GetProfile, framing.Available)
		p.description()
		p.want(framing.SendBinaries, 1)
		p.words(framing.Available) // far too late
		p.binary()
		p.want(framing.Start)
		p.write(profile("START 0 1", "EXIT 0 2"))
	})
	target.Generation = "Auto"
	s := connect(t, taskloader.New(quick()), target)
	mustStart(t, s, oneTask("hey", "ELF"))
	collect(t, s, 2)
	if got := s.Generation(); got != "1802" {
		t.Errorf("generation %s, want 1802", got)
	}
	if err := s.Start(testContext(t), oneTask("hey", "ELF")); !isErr(err, session.ErrUnsupported) {
		t.Errorf("a task without a period on 1802: %v", err)
	}
}

func TestEveryGenerationRunsAVariant(t *testing.T) {
	for _, generation := range []string{"1608a", "1608b", "1802"} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			done := make(chan struct{})
			target := serve(t, func(p *peer) {
				p.accept(1)
				p.write(profile("START 0 1", "EXIT 0 2"))
				p.want(framing.Stop)
				if query := p.word(); query == framing.Available {
					p.words(framing.Available)
				} else {
					p.write(liveFrame())
				}
				p.accept(0)
				close(done)
			})
			target.Generation = generation
			run := periodic("hey", "ELF")
			if generation == "1802" {
				run.Tasks[0].Caps = 100
			}
			options := quick()
			options.Quiet = options.IOTimeout // only the answer to the query can end the drain soon
			s := connect(t, taskloader.New(options), target)
			mustStart(t, s, run)
			if diff := cmp.Diff([]string{"START 0 1", "EXIT 0 2"}, collect(t, s, 2)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			mustStart(t, s, run)
			<-done
		})
	}
}

func TestEventsOf2017AreMadeFromItsThreads(t *testing.T) {
	cases := map[string]struct {
		before string
		frames [][]byte
		want   []string
	}{
		"a job that is seen to begin and to end": {"99.old 5 1 2",
			[][]byte{liveFrame("99.old 5 1 2"), liveFrame("99.old 5 1 2", "00.hey 2 100 0"), liveFrame("99.old 5 1 2", "00.hey 5 100 150")},
			[]string{"START 0 100", "EXIT 0 150"}},
		"a job that is over at the first look": {"00.hey 5 10 20",
			[][]byte{liveFrame("00.hey 5 10 20", "00.hey 5 100 150")},
			[]string{"START 0 100", "EXIT 0 150"}},
		"a job whose threads vanish": {"99.old 5 1 2",
			[][]byte{liveFrame("99.old 5 1 2", "00.hey 2 100 0"), liveFrame("99.old 5 1 2")},
			[]string{"START 0 100", "EXIT 0 100"}},
		"a job that took its critical time": {"99.old 5 1 2",
			[][]byte{liveFrame("99.old 5 1 2", "00.hey 5 100 1100")},
			[]string{"START 0 100", "EXIT_CRITICAL 0 1100"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			target := serve(t, func(p *peer) {
				p.description()
				p.want(framing.SendBinaries, 1)
				p.binary()
				p.want(framing.GetLive)
				p.write(liveFrame(tc.before))
				p.want(framing.Start)
				for _, frame := range tc.frames {
					p.want(framing.GetLive)
					p.write(frame)
				}
			})
			target.Generation = "2017"
			run := oneTask("hey", "ELF")
			run.Tasks[0].CriticalTime = 1000
			s := connect(t, taskloader.New(quick()), target)
			mustStart(t, s, run)
			if diff := cmp.Diff(tc.want, collect(t, s, len(tc.want))); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStopOn2017ReportsWhatItKilled(t *testing.T) {
	target := serve(t, func(p *peer) {
		p.description()
		p.want(framing.SendBinaries, 1)
		p.binary()
		p.want(framing.GetLive)
		p.write(liveFrame())
		p.want(framing.Start, framing.GetLive)
		p.write(liveFrame("00.hey 2 100 0"))
		p.want(framing.Stop, framing.GetLive)
		p.write(liveFrame("00.hey 5 100 130"))
	})
	target.Generation = "2017"
	s := connect(t, taskloader.New(quick()), target)
	mustStart(t, s, oneTask("hey", "ELF"))
	collect(t, s, 1)
	got, err := s.Stop(testContext(t))
	if diff := cmp.Diff([]string{"EXIT_EXTERNAL 0 130"}, texts(got)); diff != "" || err != nil {
		t.Errorf("error %v, events (-want +got):\n%s", err, diff)
	}
}

func TestATargetOf2017ThatStopsAnsweringTimesOut(t *testing.T) {
	target := serve(t, func(p *peer) {
		p.description()
		p.want(framing.SendBinaries, 1)
		p.binary()
		p.want(framing.GetLive)
		p.write(liveFrame())
		p.want(framing.Start, framing.GetLive)
		p.silence()
	})
	target.Generation = "2017"
	options := quick()
	options.IOTimeout = 200_000_000
	s := connect(t, taskloader.New(options), target)
	mustStart(t, s, oneTask("hey", "ELF"))
	if _, err := s.Next(testContext(t)); !isErr(err, session.ErrTimeout) {
		t.Errorf("error %v, want a time-out", err)
	}
}
