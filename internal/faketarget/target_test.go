package faketarget

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o Options) *Target {
	t.Helper()
	target, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(target.Close)
	return target
}

// client is a plain one: it says what the test wants and reads exactly.
type client struct {
	t *testing.T
	net.Conn
}

func dial(t *testing.T, target *Target) client {
	t.Helper()
	conn, err := net.Dial("tcp", target.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return client{t: t, Conn: conn}
}

func (c client) say(words ...framing.Word) { c.send(framing.AppendWords(nil, words...)) }

func (c client) send(p []byte) {
	if _, err := c.Write(p); err != nil {
		c.t.Error(err)
	}
}

func (c client) word() framing.Word {
	c.t.Helper()
	var b [4]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		c.t.Fatalf("reading a word: %v", err)
	}
	return framing.Word(binary.LittleEndian.Uint32(b[:]))
}

// frame reads a frame and returns its events, or the states of a live frame.
func (c client) frame() []string {
	c.t.Helper()
	body := make([]byte, c.word())
	if _, err := io.ReadFull(c, body); err != nil {
		c.t.Fatal(err)
	}
	doc, err := framing.Decode(body)
	if err != nil {
		c.t.Fatalf("%v: %q", err, body)
	}
	var out []string
	for _, e := range doc.Events {
		out = append(out, fmt.Sprint(e.Type, " ", e.TaskID, " ", e.Stamp))
	}
	for _, th := range doc.Threads {
		out = append(out, fmt.Sprint(th.Session, " ", th.State, " ", th.StartTime, " ", th.ExitTime))
	}
	return out
}

// load sends a description and binaries, without START.
func (c client) load(tasks []taskset.Task, binaries ...string) {
	c.t.Helper()
	out := framing.AppendWords(nil, framing.Clear)
	out = framing.AppendDescription(out, taskset.Description(tasks))
	c.send(framing.AppendWords(out, framing.SendBinaries, framing.Word(len(binaries))))
	for _, b := range binaries {
		if got := c.word(); got != framing.GoSend {
			c.t.Fatalf("%#x instead of GO_SEND", got)
		}
		name, content, _ := strings.Cut(b, "=")
		header, err := framing.AppendBinaryHeader(nil, name, len(content))
		if err != nil {
			c.t.Fatal(err)
		}
		c.send(append(header, content...))
	}
}

func hey(id int, change func(*taskset.Task)) taskset.Task {
	t := taskset.Task{ID: id, Pkg: "hey", Quota: 1 << 20, NumberOfJobs: 1}
	if change != nil {
		change(&t)
	}
	return t
}

// simulated is a target on a clock that stands still until the test moves it.
func simulated(t *testing.T, o Options) (*Target, *clocktesting.FakeClock) {
	c := clocktesting.NewFakeClock(time.Unix(1_700_000_000, 0))
	o.Clock = c
	return start(t, o), c
}

// TestTheGenerationsReleaseJobsByTheirOwnRules walks through 100 ms of one task with jobs of 10 ms.
func TestTheGenerationsReleaseJobsByTheirOwnRules(t *testing.T) {
	cases := map[string]struct {
		task       func(*taskset.Task)
		jobMS      int64
		generation string
		want       string // event log
	}{
		"2017, released once":              {nil, 10, taskset.G2017, "START 0, EXIT 10"},
		"2017, endless, is one job":        {period(30, 0), 10, taskset.G2017, "START 0, EXIT 10"},
		"2017, N jobs, is one after one":   {period(30, 3), 10, taskset.G2017, "START 30, EXIT 40"},
		"1608a, released once":             {nil, 10, taskset.G1608a, "START 0, EXIT 10"},
		"1608a ignores the number of jobs": {period(40, 1), 10, taskset.G1608a, "START 0, EXIT 10, START 40, EXIT 50, START 80, EXIT 90"},
		"1608a skips ticks":                {period(40, 1), 50, taskset.G1608a, "START 0, EXIT 50, START 80"},
		"1608a kills the next job":         {both(period(40, 1), critical(50)), 30, taskset.G1608a, "START 0, EXIT 30, START 40, EXIT_CRITICAL 50, START 80, EXIT_CRITICAL 90"},
		"1608b, released once":             {nil, 10, taskset.G1608b, "START 0, EXIT 10, JOBS_DONE 10"},
		"1608b, no number, never runs":     {period(40, 0), 10, taskset.G1608b, ""},
		"1608b, two jobs":                  {period(40, 2), 10, taskset.G1608b, "START 0, EXIT 10, START 40, EXIT 50, JOBS_DONE 50"},
		"1608b kills at the next release":  {period(20, 2), 30, taskset.G1608b, "START 0, EXIT_PERIOD 20, START 40, EXIT 70, JOBS_DONE 70"},
		"1608b kills at the critical time": {both(period(40, 2), critical(5)), 10, taskset.G1608b, "START 0, EXIT_CRITICAL 5, START 40, EXIT_CRITICAL 45, JOBS_DONE 45"},
		"1608b sleeps the offset":          {func(k *taskset.Task) { k.Offset = 15 }, 10, taskset.G1608b, "START 15, EXIT 25, JOBS_DONE 25"},
		"1802 without a period never runs": {nil, 10, taskset.G1802, ""},
		"1802 runs every second period":    {period(20, 3), 10, taskset.G1802, "START 0, EXIT 10, START 40, EXIT 50, START 80, EXIT 90, JOBS_DONE 90"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, clock := simulated(t, Options{Generation: tc.generation, Job: Takes(tc.jobMS)})
			c := dial(t, target)
			c.load([]taskset.Task{hey(0, tc.task)}, "hey=ELF")
			c.say(framing.Start)
			await(t, target, "START", 1)
			clock.Step(100 * time.Millisecond)
			c.say(framing.Stop) // whatever is due is done before it
			await(t, target, "STOP", 1)
			c.say(0x4711) // and STOP is done before this
			await(t, target, Unknown, 1)
			var got []string
			for _, e := range target.Events() {
				if e.Type != "EXIT_EXTERNAL" {
					got = append(got, fmt.Sprint(e.Type, " ", e.Stamp))
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("event log (-want +got):\n%s", diff)
			}
		})
	}
}

func period(ms, jobs uint32) func(*taskset.Task) {
	return func(t *taskset.Task) { t.Period, t.NumberOfJobs = ms, jobs }
}

func critical(ms uint32) func(*taskset.Task) {
	return func(t *taskset.Task) { t.CriticalTime = ms }
}

func both(a, b func(*taskset.Task)) func(*taskset.Task) {
	return func(t *taskset.Task) { a(t); b(t) }
}

func await(t *testing.T, target *Target, what string, n int) {
	t.Helper()
	if err := target.Await(t.Context(), what, n); err != nil {
		t.Fatal(err)
	}
}

func TestTheGenerationsKnowDifferentWords(t *testing.T) {
	empty := func(live bool) []byte {
		if live {
			return Frame("<live>\n\t<task-descriptions>\n\t</task-descriptions>\n</live>\n")
		}
		return Profile()
	}
	echo := framing.AppendWords(nil, framing.Available)
	cases := map[string]struct {
		generation string
		answer     []byte // to GET_PROFILE, GET_LIVE, AVAILABLE and OPTIMIZE without anything to tell
		unknown    int
	}{
		"2017":  {taskset.G2017, empty(true), 2},
		"1608a": {taskset.G1608a, slices.Concat(empty(false), empty(true)), 5},
		"1608b": {taskset.G1608b, nil, 5},
		"1802":  {taskset.G1802, echo, 4},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := start(t, Options{Generation: tc.generation})
			c := dial(t, target)
			c.say(framing.GetProfile, framing.GetLive, framing.Available)
			c.send(append(framing.AppendWords(nil, framing.Optimize, 8), "<x></x>\n"...))
			c.say(framing.Stop)
			await(t, target, "STOP", 1)
			if got := target.Count(Unknown); got != tc.unknown {
				t.Errorf("%d unknown words, want %d: %+v", got, tc.unknown, target.Log())
			}
			got := make([]byte, len(tc.answer))
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, tc.answer) {
				t.Errorf("answer %q (%v), want %q", got, err, tc.answer)
			}
		})
	}
}

func TestFaultsStrikeWhereTheyShould(t *testing.T) {
	two := []taskset.Task{hey(0, nil), hey(1, nil)}
	t.Run("reset while two jobs run", func(t *testing.T) {
		target := start(t, Options{Job: Takes(Endless), Faults: []Fault{{At: AtRelease, Running: 2, Do: Reset()}}})
		c := dial(t, target)
		c.load(two, "hey=ELF")
		c.say(framing.Start)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v, want a reset", err)
		}
	})
	t.Run("FIN at START", func(t *testing.T) {
		target := start(t, Options{Faults: []Fault{{At: AtStart, Do: Close()}}})
		c := dial(t, target)
		c.load(two, "hey=ELF")
		c.say(framing.Start)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("read: %v, want the end of file", err)
		}
	})
	t.Run("hang at the second message, and thaw", func(t *testing.T) {
		target := start(t, Options{Generation: taskset.G1802, Faults: []Fault{{At: AtMessage, After: 1, Do: Hang()}}})
		c := dial(t, target)
		c.say(framing.Available)
		if got := c.word(); got != framing.Available {
			t.Fatalf("answer %#x", got)
		}
		c.say(framing.Available)
		await(t, target, Hung, 1)
		if n := target.Count("AVAILABLE"); n != 1 {
			t.Errorf("%d answers of a target that hangs", n)
		}
		target.Thaw()
		if got := c.word(); got != framing.Available {
			t.Errorf("answer %#x after the thaw", got)
		}
	})
	t.Run("a frame is replaced, the next one lost, the one after it sound", func(t *testing.T) {
		target := start(t, Options{Faults: []Fault{
			{At: AtPush, Do: Replace(Frame("<profile/>"))}, {At: AtPush, After: 1, Do: Skip()},
		}})
		c := dial(t, target)
		c.load([]taskset.Task{hey(0, nil), hey(1, nil), hey(2, nil)}, "hey=ELF")
		c.say(framing.Start)
		first, second := c.frame(), c.frame()
		if len(first) != 0 || len(second) != 2 || !strings.HasPrefix(second[0], "EXIT 2") {
			t.Errorf("frames %q and %q", first, second)
		}
	})
}

func TestABurstComesInPieces(t *testing.T) {
	target, _ := simulated(t, Options{Burst: 3, Piece: 5})
	c := dial(t, target)
	c.load([]taskset.Task{hey(0, nil), hey(1, nil), hey(2, nil)}, "hey=ELF")
	c.say(framing.Start)
	got := slices.Concat(c.frame(), c.frame(), c.frame())
	want := []string{"START 0 0", "START 1 0", "START 2 0", "EXIT 0 0", "JOBS_DONE 0 0", "EXIT 1 0", "JOBS_DONE 1 0", "EXIT 2 0", "JOBS_DONE 2 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestStampsWrap(t *testing.T) {
	target, clock := simulated(t, Options{StampBase: 4294960 * time.Millisecond, Job: Takes(20)})
	c := dial(t, target)
	c.load([]taskset.Task{hey(0, nil)}, "hey=ELF")
	c.say(framing.Start, 0x4711)
	await(t, target, Unknown, 1)
	clock.Step(20 * time.Millisecond)
	if diff := cmp.Diff([]string{"START 0 4294960", "EXIT 0 12", "JOBS_DONE 0 12"}, c.frame()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestClearKillsAndCanBeLate(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint("late ", late), func(t *testing.T) {
			target, _ := simulated(t, Options{Job: Takes(Endless), LatePushes: late})
			c := dial(t, target)
			c.load([]taskset.Task{hey(0, nil)}, "hey=ELF")
			c.say(framing.Start)
			await(t, target, "START", 1)
			want := []string{"START 0 0", "EXIT_EXTERNAL 0 0", "JOBS_DONE 0 0"}
			if late {
				c.load([]taskset.Task{hey(0, nil)}, "hey=ELF") // which finds GO_SEND first
				c.say(framing.Start)
			} else {
				c.say(framing.Clear)
			}
			if diff := cmp.Diff(want, c.frame()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatKillsATarget(t *testing.T) {
	binary := func(content string) []byte {
		header, _ := framing.AppendBinaryHeader(nil, "hey", len(content))
		return append(header, content...)
	}
	cases := map[string]struct {
		send func(c client)
		says string
	}{
		"tags that do not match": {func(c client) { c.send(framing.AppendDescription(nil, []byte("<taskset><periodictask></taskset>"))) }, "description"},
		"no element":             {func(c client) { c.send(framing.AppendDescription(nil, []byte("hello"))) }, "description"},
		"no config":              {func(c client) { c.send(framing.AppendDescription(nil, []byte("<t><periodictask/></t>"))) }, "no config"},
		"a negative size":        {func(c client) { c.say(framing.SendDescs, 0x80000000) }, "memory"},
		"half a description":     {func(c client) { c.say(framing.SendDescs, 100); c.Close() }, "half"},
		"a larger binary":        {func(c client) { c.say(framing.SendBinaries, 2); c.send(append(binary("one"), binary("three")...)) }, "overwrites"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := start(t, Options{})
			tc.send(dial(t, target))
			await(t, target, Died, 1)
			log := target.Log()
			if got := log[len(log)-1]; got.What != Died || !strings.Contains(got.Text, tc.says) {
				t.Errorf("the last record is %+v", got)
			}
			target.Thaw() // which does not help
			if n := target.Count(Ended); n != 0 {
				t.Error("the connection of a dead target has ended")
			}
			target.Reboot()
			await(t, target, Ended, 1)
			dial(t, target).say(framing.Clear)
			await(t, target, "CLEAR", 1)
		})
	}
}

func TestASecondBinaryOfANameHasNoEffectOn1802(t *testing.T) {
	var ran [][32]byte
	job := func(j Job) Plan { ran = append(ran, j.Binary); return Plan{} }
	target := start(t, Options{Generation: taskset.G1802, Job: job})
	c := dial(t, target)
	for _, content := range []string{"hey=old", "hey=new"} {
		c.load([]taskset.Task{hey(0, period(1000, 1))}, content)
		c.say(framing.Start)
		c.frame()
	}
	if len(ran) != 2 || ran[0] != ran[1] {
		t.Errorf("memory that ran: %x", ran)
	}
}

func TestRefusedThenUp(t *testing.T) {
	target := start(t, Options{})
	target.Refuse()
	if conn, err := net.Dial("tcp", target.Address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial while refused: %v, %v", conn, err)
	}
	if err := target.Listen(); err != nil {
		t.Fatal(err)
	}
	dial(t, target).say(framing.Stop)
	await(t, target, "STOP", 1)
}

func TestTheSecondClientWaits(t *testing.T) {
	target := start(t, Options{Generation: taskset.G1802})
	first := dial(t, target)
	await(t, target, Opened, 1)
	second := dial(t, target)
	second.say(framing.Available)
	first.say(framing.Available)
	first.word()
	if n := target.Count("AVAILABLE"); n != 1 {
		t.Errorf("%d clients are served", n)
	}
	first.Close()
	second.word()
}

func TestMalformationsAreMalformed(t *testing.T) {
	read := func(p []byte) error {
		s := framing.Splitter{Max: 1 << 20}
		s.Add(append(slices.Clone(p), Profile(Event{Type: "EXIT"})...))
		for {
			item, ok, err := s.Next(framing.Expect{})
			if err != nil {
				return err
			}
			if !ok {
				return nil
			}
			if _, err := framing.Decode(item.Body); err != nil {
				return err
			}
		}
	}
	for _, m := range Malformations() {
		if err := read(m.Bytes); err == nil && !m.Silence {
			t.Errorf("%s: nothing is wrong with it", m.Name)
		}
	}
	for _, m := range Oddities() {
		if err := read(m.Bytes); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
}
