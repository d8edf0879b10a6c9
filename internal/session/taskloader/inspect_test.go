package taskloader_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

var generations = []string{taskset.G2017, taskset.G1608a, taskset.G1608b, taskset.G1802}

// inspector is a session with a fake target of the generation.
func inspector(t *testing.T, generation string, job func(faketarget.Job) faketarget.Plan) (*faketarget.Target, session.Inspector) {
	t.Helper()
	fake, err := faketarget.Start(faketarget.Options{Generation: generation, Job: job})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	s := connect(t, taskloader.New(quick()), session.Target{Name: "arm-0", Address: fake.Address(), Generation: generation})
	return fake, s.(session.Inspector)
}

// suitable is a run of one task that any generation takes.
func suitable(generation string) session.Run {
	run := oneTask("hey", "ELF")
	if generation == taskset.G1802 {
		run.Tasks[0].Period, run.Tasks[0].Caps = 10_000, 100
	}
	return run
}

func TestLiveDataOfEveryGeneration(t *testing.T) {
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			fake, s := inspector(t, generation, faketarget.Takes(faketarget.Endless))
			threads, err := s.Live(testContext(t))
			if err != nil || len(threads) != 0 {
				t.Errorf("before a variant: %v, %v", threads, err)
			}
			mustStart(t, s, suitable(generation))
			if err := fake.Await(testContext(t), "START", 1); err != nil {
				t.Fatal(err)
			}
			threads, err = s.Live(testContext(t))
			if err != nil || len(threads) != 1 || threads[0].Session != "init -> taskloader -> 00.hey" || threads[0].Priority != 10 || threads[0].RAMQuota != 1024 {
				t.Errorf("threads = %+v, %v", threads, err)
			}
			if fake.Count(faketarget.Unknown) != 0 {
				t.Error("a word was sent that it does not know")
			}
			events, err := s.Stop(testContext(t))
			if err != nil || !strings.Contains(strings.Join(texts(events), " "), "EXIT_EXTERNAL 0") {
				t.Errorf("stop: %v, %v", texts(events), err)
			}
			mustStart(t, s, suitable(generation)) // the stream is undamaged
		})
	}
}

// What the target says of the running variant while a question is answered is not lost, and comes once.
func TestEventsThatComeWithAnAnswerAreKept(t *testing.T) {
	target := serve(t, func(p *peer) {
		p.accept(1)
		p.want(framing.GetLive)
		p.write(profile("START 0 5"))
		p.write(liveFrame("00.hey 2 5 0"))
		p.write(profile("EXIT 0 9"))
		p.want(framing.GetProfile)
		p.write(profile("JOBS_DONE 0 9"))
		p.silence()
	})
	s := connect(t, taskloader.New(quick()), target).(session.Inspector)
	mustStart(t, s, oneTask("hey", "ELF"))
	if threads, err := s.Live(testContext(t)); err != nil || len(threads) != 1 {
		t.Errorf("threads = %v, %v", threads, err)
	}
	want := []string{"START 0 5", "EXIT 0 9"}
	if diff := cmp.Diff(want, collect(t, s, 2)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	events, err := s.Profile(testContext(t))
	if err != nil || len(events) != 1 || events[0] != (framing.Event{Type: "JOBS_DONE", Stamp: 9}) {
		t.Errorf("profile = %+v, %v", events, err)
	}
	rest, err := s.Stop(testContext(t))
	if diff := cmp.Diff([]string{"JOBS_DONE 0 9"}, texts(rest)); err != nil || diff != "" {
		t.Errorf("stop: %v (-want +got):\n%s", err, diff)
	}
}

func TestProfileOfEveryGeneration(t *testing.T) {
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			fake, s := inspector(t, generation, faketarget.Takes(faketarget.Endless))
			mustStart(t, s, suitable(generation))
			if err := fake.Await(testContext(t), "START", 1); err != nil {
				t.Fatal(err)
			}
			events, err := s.Profile(testContext(t))
			if generation == taskset.G2017 {
				if !errors.Is(err, session.ErrUnsupported) || !strings.Contains(err.Error(), "use 1608a or newer") || fake.Count(faketarget.Unknown) != 0 {
					t.Errorf("error = %v", err)
				}
				return
			}
			if err != nil || len(events) != 1 || events[0].Type != "START" {
				t.Errorf("events = %v, %v", events, err)
			}
			if events, err := s.Profile(testContext(t)); err != nil || len(events) != 0 {
				t.Errorf("the log was emptied, but: %v, %v", events, err)
			}
			if diff := cmp.Diff([]string{"START 0 0"}, collect(t, s, 1)); diff != "" {
				t.Errorf("events of the variant (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRebootOfEveryGeneration(t *testing.T) {
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			fake, s := inspector(t, generation, faketarget.Takes(faketarget.Endless))
			mustStart(t, s, suitable(generation))
			err := s.Reboot(testContext(t))
			if generation == taskset.G2017 {
				if !errors.Is(err, session.ErrUnsupported) || fake.Count(faketarget.Unknown) != 0 {
					t.Errorf("error = %v", err)
				}
				if threads, err := s.Live(testContext(t)); err != nil || len(threads) != 1 {
					t.Errorf("the session is damaged: %v, %v", threads, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if fake.Count("REBOOT") != 1 {
				t.Error("it was not rebooted")
			}
			if _, err := s.Next(testContext(t)); !errors.Is(err, session.ErrReset) || !strings.Contains(err.Error(), "told to reboot") {
				t.Errorf("next: %v", err)
			}
			again := connect(t, taskloader.New(quick()), session.Target{Name: "arm-0", Address: fake.Address(), Generation: generation})
			mustStart(t, again, suitable(generation))
		})
	}
}

// An 1802 that is slow to answer owes two echoes: none of them is taken for a frame.
func TestEachEchoIsExpected(t *testing.T) {
	target := serve(t, func(p *peer) {
		p.accept(1)
		p.want(framing.Stop, framing.Available) // and says nothing: the drain ends
		p.description()
		p.want(framing.SendBinaries, 0, framing.Start)
		p.want(framing.GetLive, framing.Available)
		p.words(framing.Available)
		p.write(liveFrame("00.hey 2 5 0"))
		p.words(framing.Available)
		p.silence()
	})
	target.Generation = taskset.G1802
	s := connect(t, taskloader.New(quick()), target).(session.Inspector)
	mustStart(t, s, suitable(taskset.G1802))
	if _, err := s.Stop(testContext(t)); err != nil {
		t.Fatal(err)
	}
	mustStart(t, s, suitable(taskset.G1802))
	if threads, err := s.Live(testContext(t)); err != nil || len(threads) != 1 {
		t.Errorf("threads = %v, %v", threads, err)
	}
}

func TestAQuestionThatIsGivenUpDoesNoHarm(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	target := serve(t, func(p *peer) {
		p.accept(1)
		p.want(framing.GetLive)
		close(asked)
		<-answer
		p.write(liveFrame("00.hey 2 5 0"))
		p.write(profile("START 0 5", "EXIT 0 9"))
		p.silence()
	})
	s := connect(t, taskloader.New(quick()), target).(session.Inspector)
	mustStart(t, s, oneTask("hey", "ELF"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := s.Live(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("live: %v", err)
	}
	if _, err := s.Live(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("live with a ctx that has ended: %v", err)
	}
	close(answer)
	if diff := cmp.Diff([]string{"START 0 5", "EXIT 0 9"}, collect(t, s, 2)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestQuestionsFailAsEverythingElseDoes(t *testing.T) {
	for name, test := range map[string]struct {
		generation string
		script     func(p *peer)
		want       error
	}{
		"a target that has to answer and does not": {taskset.G2017, func(p *peer) { p.want(framing.GetLive); p.silence() }, session.ErrTimeout},
		"the end of the connection":                {taskset.G1608b, func(p *peer) { p.want(framing.GetLive); p.conn.Close() }, session.ErrLost},
		"a reset":                                  {taskset.G1608b, func(p *peer) { p.want(framing.GetLive); p.reset() }, session.ErrReset},
		"garbage":                                  {taskset.G1608b, func(p *peer) { p.want(framing.GetLive); p.write(framed("HTTP")) }, session.ErrGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			target := serve(t, test.script)
			target.Generation = test.generation
			o := quick()
			o.IOTimeout = o.Quiet
			s := connect(t, taskloader.New(o), target).(session.Inspector)
			if _, err := s.Live(testContext(t)); !errors.Is(err, test.want) {
				t.Errorf("live: %v, want %v", err, test.want)
			}
			for _, call := range []func() error{
				func() error { _, err := s.Live(testContext(t)); return err },
				func() error { return s.Start(testContext(t), oneTask("hey", "ELF")) },
			} {
				if err := call(); !errors.Is(err, test.want) {
					t.Errorf("afterwards: %v, want %v", err, test.want)
				}
			}
		})
	}
}

func TestAdmissionControlIsToldInTheGenerationsWay(t *testing.T) {
	fair := &taskset.Admission{Goal: taskset.GoalFairness}
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			fake, s := inspector(t, generation, nil)
			run := suitable(generation)
			run.Admission = fair
			err := s.Start(testContext(t), run)
			if generation == taskset.G1608a || generation == taskset.G1802 {
				if !errors.Is(err, session.ErrUnsupported) || !strings.Contains(err.Error(), "no way to be told") || len(fake.Received()) != 0 {
					t.Errorf("error = %v after %d bytes", err, len(fake.Received()))
				}
				run.Admission = nil
				mustStart(t, s, run) // nothing is damaged
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := fake.Await(testContext(t), "START", 1); err != nil {
				t.Fatal(err)
			}
			var order []string
			for _, r := range fake.Log() {
				order = append(order, r.What)
				if r.What == "OPTIMIZE" && r.Text != string(taskset.OptimizeDocument(*fair)) {
					t.Errorf("document:\n%s", r.Text)
				}
				if r.What == "SEND_DESCS" && strings.Contains(r.Text, "<fairness>") != (generation == taskset.G1608b) {
					t.Errorf("description:\n%s", r.Text)
				}
			}
			if got := strings.Contains(strings.Join(order, " "), "CLEAR OPTIMIZE SEND_DESCS"); got != (generation == taskset.G2017) {
				t.Errorf("order: %v", order)
			}
		})
	}
}
