package refguest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJobsOfATaskSet(t *testing.T) {
	cases := map[string]struct {
		runner     InstantRunner
		tasks      []string
		binary     string // uploaded; "" for hey
		then       []uint32
		after      time.Duration // when `then` is sent
		wantEvents []string
	}{
		"one job that ends by itself exits and is done": {
			runner:     InstantRunner{Duration: lasting(7 * time.Millisecond)},
			tasks:      []string{"<id>3</id><numberofjobs>1</numberofjobs>"},
			wantEvents: []string{"START 3@1000", "EXIT 3@1007", "JOBS_DONE 3@1007"},
		},
		"a task without a number of jobs never runs": {
			tasks: []string{"<id>3</id><period>10</period>"},
		},
		"a period of 0 releases one job only": {
			tasks:      []string{"<numberofjobs>5</numberofjobs>"},
			wantEvents: []string{"START 0@1000", "EXIT 0@1000"},
		},
		"periods release jobs at multiples": {
			runner: InstantRunner{Duration: lasting(5 * time.Millisecond)},
			tasks:  []string{"<period>20</period><numberofjobs>3</numberofjobs>"},
			wantEvents: []string{"START 0@1000", "EXIT 0@1005", "START 0@1020", "EXIT 0@1025",
				"START 0@1040", "EXIT 0@1045", "JOBS_DONE 0@1045"},
		},
		"a job that still runs at the next release is killed and the release is lost": {
			runner: InstantRunner{Duration: lasting(25 * time.Millisecond)},
			tasks:  []string{"<period>20</period><numberofjobs>2</numberofjobs>"},
			wantEvents: []string{"START 0@1000", "EXIT_PERIOD 0@1020",
				"START 0@1040", "EXIT 0@1065", "JOBS_DONE 0@1065"},
		},
		"a critical time kills": {
			runner:     InstantRunner{Duration: forever},
			tasks:      []string{"<criticaltime>30</criticaltime><numberofjobs>1</numberofjobs>"},
			wantEvents: []string{"START 0@1000", "EXIT_CRITICAL 0@1030", "JOBS_DONE 0@1030"},
		},
		"a critical time does not reach the next job": {
			runner: InstantRunner{Duration: lasting(15 * time.Millisecond)},
			tasks:  []string{"<period>20</period><criticaltime>18</criticaltime><numberofjobs>2</numberofjobs>"},
			wantEvents: []string{"START 0@1000", "EXIT 0@1015",
				"START 0@1020", "EXIT 0@1035", "JOBS_DONE 0@1035"},
		},
		"offsets add up from task to task": {
			tasks: []string{"<id>0</id><offset>10</offset><numberofjobs>1</numberofjobs>",
				"<id>1</id><offset>5</offset><numberofjobs>1</numberofjobs>"},
			wantEvents: []string{"START 0@1010", "EXIT 0@1010", "JOBS_DONE 0@1010",
				"START 1@1015", "EXIT 1@1015", "JOBS_DONE 1@1015"},
		},
		"an exit value other than 0 is an error": {
			runner:     InstantRunner{Outcome: func(Spec) Outcome { return Outcome{Code: 1} }},
			tasks:      []string{"<numberofjobs>1</numberofjobs>"},
			wantEvents: []string{"START 0@1000", "EXIT_ERROR 0@1000", "JOBS_DONE 0@1000"},
		},
		"exit value 22 is a lack of memory": {
			runner:     InstantRunner{Outcome: func(Spec) Outcome { return Outcome{Code: 22} }},
			tasks:      []string{"<numberofjobs>1</numberofjobs>"},
			wantEvents: []string{"START 0@1000", "OUT_OF_QUOTA 0@1000", "JOBS_DONE 0@1000"},
		},
		"a job that dies of its own signal is an error": {
			runner:     InstantRunner{Outcome: func(Spec) Outcome { return Outcome{Killed: true} }},
			tasks:      []string{"<numberofjobs>1</numberofjobs>"},
			wantEvents: []string{"START 0@1000", "EXIT_ERROR 0@1000", "JOBS_DONE 0@1000"},
		},
		"a task whose binary was never sent is refused at once": {
			binary:     "other",
			tasks:      []string{"<id>4</id><numberofjobs>1</numberofjobs>"},
			wantEvents: []string{"NOT_SCHEDULED 4@1000"},
		},
		"STOP ends jobs from outside and no more come": {
			runner:     InstantRunner{Duration: forever},
			tasks:      []string{"<period>1000</period><numberofjobs>9</numberofjobs>"},
			then:       []uint32{wordStop},
			after:      40 * time.Millisecond,
			wantEvents: []string{"START 0@1000", "EXIT_EXTERNAL 0@1040"},
		},
		"CLEAR forgets the tasks, so START has nothing to do": {
			runner:     InstantRunner{Duration: forever},
			tasks:      []string{"<numberofjobs>1</numberofjobs>"},
			then:       []uint32{wordClear, wordStart},
			after:      40 * time.Millisecond,
			wantEvents: []string{"START 0@1000", "EXIT_EXTERNAL 0@1040", "JOBS_DONE 0@1040"},
		},
		"START twice keeps the running job and registers the period anew": {
			runner: InstantRunner{Duration: lasting(10 * time.Millisecond)},
			tasks:  []string{"<period>100</period><numberofjobs>2</numberofjobs>"},
			then:   []uint32{wordStart},
			after:  50 * time.Millisecond,
			wantEvents: []string{"START 0@1000", "EXIT 0@1010",
				"START 0@1050", "EXIT 0@1060", "JOBS_DONE 0@1060"},
		},
		"an unknown word is skipped": {
			runner:     InstantRunner{Duration: forever},
			tasks:      []string{"<numberofjobs>1</numberofjobs>"},
			then:       []uint32{0xAAAAA, wordStop},
			after:      10 * time.Millisecond,
			wantEvents: []string{"START 0@1000", "EXIT_EXTERNAL 0@1010", "JOBS_DONE 0@1010"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, ln, stop := serve(t, Options{Runner: &tc.runner})
				defer stop()
				time.Sleep(time.Second)
				c := ln.dial(t)
				defer c.conn.Close()
				if tc.binary == "" {
					tc.binary = "hey"
				}
				c.send(wordClear, wordSendDescs, describe(tc.tasks...))
				c.upload(tc.binary, "ELF")
				c.send(wordStart)
				time.Sleep(tc.after)
				for _, w := range tc.then {
					c.send(w)
				}
				time.Sleep(3 * time.Second)
				synctest.Wait()
				if diff := cmp.Diff(tc.wantEvents, c.events()); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestGetProfileTakesWhatIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ln, stop := serve(t, Options{Runner: &InstantRunner{Duration: forever}})
		defer stop()
		c := ln.dial(t)
		defer c.conn.Close()
		c.send(wordGetProfile, wordGetLive, wordSendDescs, describe("<numberofjobs>1</numberofjobs>"))
		c.upload("hey", "ELF") // its GO_SEND is the first answer: both requests before it were met with silence
		c.send(wordStart)
		synctest.Wait()
		if got := c.events(); got != nil {
			t.Errorf("a START alone was pushed: %v", got)
		}
		c.send(wordGetProfile, wordGetProfile)
		synctest.Wait()
		if diff := cmp.Diff([]string{"START 0@0"}, c.events()); diff != "" {
			t.Errorf("profile (-want +got):\n%s", diff)
		}
	})
}

func TestLiveFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ln, stop := serve(t, Options{Runner: &InstantRunner{Duration: forever}})
		defer stop()
		c := ln.dial(t)
		defer c.conn.Close()
		c.send(wordSendDescs, describe("<id>7</id><quota>2M</quota><numberofjobs>1</numberofjobs>"))
		c.upload("hey", "ELF")
		time.Sleep(5 * time.Millisecond)
		c.send(wordStart)
		synctest.Wait()
		c.send(wordGetLive)
		want := frameText("<live>\n\t<task-descriptions>\n" +
			"\t\t<task id=\"7\" foc_id=\"0\" execution-time=\"0\" priority=\"0\" core=\"0\" policy-id=\"0\" state=\"2\"" +
			" arrival-time=\"5\" start-time=\"5\" exit-time=\"0\"" +
			" session=\"init -&gt; taskloader -&gt; 07.hey\" thread=\"07.hey\" ram_quota=\"2048\" ram_used=\"0\"/>\n" +
			"\t</task-descriptions>\n</live>\n\x00")
		if diff := cmp.Diff(any(want), <-c.msgs); diff != "" {
			t.Errorf("live frame (-want +got):\n%s", diff)
		}
	})
}

func TestTasksOutliveTheirClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ln, stop := serve(t, Options{Runner: &InstantRunner{Duration: lasting(10 * time.Millisecond)}})
		defer stop()
		c := ln.dial(t)
		c.send(wordSendDescs, describe("<period>100</period><numberofjobs>3</numberofjobs>"))
		c.upload("hey", "ELF")
		c.send(wordStart)
		time.Sleep(50 * time.Millisecond)
		c.conn.Close()
		time.Sleep(100 * time.Millisecond) // the second job's events are lost, as in the original
		c = ln.dial(t)
		defer c.conn.Close()
		time.Sleep(time.Second)
		synctest.Wait()
		want := []string{"START 0@200", "EXIT 0@210", "JOBS_DONE 0@210"}
		if diff := cmp.Diff(want, c.events()); diff != "" {
			t.Errorf("events for the second client (-want +got):\n%s", diff)
		}
	})
}

func TestStallSaysNothingAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ln, stop := serve(t, Options{Runner: &InstantRunner{Duration: lasting(10 * time.Millisecond)}})
		defer stop()
		c := ln.dial(t)
		defer c.conn.Close()
		c.send(wordSendDescs, describe("<numberofjobs>1</numberofjobs>"))
		c.upload("hey", "ELF")
		c.send(wordStart)
		synctest.Wait()
		s.Stall(true)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := c.events(); got != nil {
			t.Errorf("a stalled server said %v", got)
		}
		s.Stall(false)
		synctest.Wait()
		want := []string{"START 0@0", "EXIT 0@10", "JOBS_DONE 0@10"}
		if diff := cmp.Diff(want, c.events()); diff != "" {
			t.Errorf("events after the stall (-want +got):\n%s", diff)
		}
	})
}

func TestClearDelayAndStampWrap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ln, stop := serve(t, Options{
			Runner:      &InstantRunner{Duration: lasting(400 * time.Millisecond)},
			ClearDelay:  500 * time.Millisecond,
			StampOffset: 4294967 * time.Millisecond,
		})
		defer stop()
		c := ln.dial(t)
		defer c.conn.Close()
		c.send(wordClear, wordSendDescs, describe("<numberofjobs>1</numberofjobs>"))
		c.upload("hey", "ELF")
		c.send(wordStart)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		// 2^32 µs are 4294967.296 ms: 500 ms behind 4294967 the counter shows 499.704.
		want := []string{"START 0@499", "EXIT 0@899", "JOBS_DONE 0@899"}
		if diff := cmp.Diff(want, c.events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestRebootLooksLikeARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ln, stop := serve(t, Options{Runner: &InstantRunner{Duration: forever}})
		defer stop()
		c := ln.dial(t)
		c.send(wordSendDescs, describe("<numberofjobs>1</numberofjobs>"))
		c.upload("hey", "ELF")
		c.send(wordStart)
		time.Sleep(time.Second)
		c.send(wordReboot)
		for range c.msgs { // until the connection ends
		}
		c = ln.dial(t)
		defer c.conn.Close()
		c.send(wordSendDescs, describe("<numberofjobs>1</numberofjobs>"), wordStart)
		synctest.Wait()
		if diff := cmp.Diff([]string{"NOT_SCHEDULED 0@0"}, c.events()); diff != "" {
			t.Errorf("events after the restart (-want +got):\n%s", diff)
		}
	})
}
