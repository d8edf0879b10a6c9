package parity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// S6, S8: the description has no XML declaration, which Genode does not read, and the root that all generations write.
func TestF01SessionOrderAndBytes(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	p := l.plan("tasks: [{name: hello, pkg: hey, priority: 10, numberOfJobs: 1, executionTimeMilliseconds: 99999999}]")
	succeeded(t, l.run(p))
	l.stop()
	if err := target.Await(t.Context(), faketarget.Ended, 1); err != nil {
		t.Fatal(err)
	}
	description := "<taskset>\n\t<periodictask>\n\t\t<id>0</id>\n\t\t<priority>10</priority>\n\t\t<quota>1M</quota>\n" +
		"\t\t<pkg>hey</pkg>\n\t\t<config></config>\n\t\t<period>0</period>\n\t\t<numberofjobs>1</numberofjobs>\n" +
		"\t\t<criticaltime>0</criticaltime>\n\t\t<executiontime>99999999</executiontime>\n\t</periodictask>\n</taskset>"
	want := bytes.Join([][]byte{
		{0xe6, 0x0d, 0, 0},
		{0xe5, 0x0d, 0, 0, 0x16, 0x01, 0, 0}, []byte(description),
		{0x1e, 0xf1, 0xe5, 0x0d, 1, 0, 0, 0},
		[]byte("hey\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x54\xad\x00\x00"), p.Binaries["hey"].Content,
		{0xe5, 0x4d, 0x51, 0},
		{0xe6, 0x4d, 0x51, 0},                   // the variant is complete
		{0xe6, 0x4d, 0x51, 0, 0xe6, 0x0d, 0, 0}, // the engine closes
	}, nil)
	if got := target.Received(); !bytes.Equal(got, want) {
		t.Errorf("the target received %d bytes, want %d\n%s", len(got), len(want), cmp.Diff(string(want), string(got)))
	}
}

// S5: a task without the element config kills the target, so that it is there also when it is empty.
func TestF02DescriptionXML(t *testing.T) {
	target := fake(t, faketarget.Options{Generation: taskset.G1802})
	l := newLab(t, target)
	succeeded(t, l.run(l.plan(`
tasks:
- name: full
  pkg: hey
  quota: 5Mi
  priority: 10
  periodMilliseconds: 20
  criticalTimeMilliseconds: 1000
  executionTimeMilliseconds: 7
  deadlineMilliseconds: 15
  offsetMilliseconds: 1
  numberOfJobs: 1
  caps: 100
  cores: 2
  coreOffset: 1
  config: {arg1: 5, "net": {ip: 10.0.0.1, mask: 24}, text: "a < b & c"}
- {name: bare, pkg: hey, periodMilliseconds: 20, caps: 50}
`)))
	got := starts(target)[0]
	want := map[string]string{
		"id": "0", "priority": "10", "quota": "5M", "pkg": "hey", "period": "20", "numberofjobs": "1", "caps": "100",
		"coreoffset": "1", "cores": "2", "criticaltime": "1000", "deadline": "15", "executiontime": "7", "offset": "1",
		"config": "\n\t\t\t<arg1>5</arg1>\n\t\t\t<net>\n\t\t\t\t<ip>10.0.0.1</ip>\n\t\t\t\t<mask>24</mask>\n\t\t\t</net>\n\t\t\t<text>a &lt; b &amp; c</text>\n\t\t",
	}
	if diff := cmp.Diff(want, got[0].Elements); diff != "" {
		t.Errorf("elements of the first task (-want +got):\n%s", diff)
	}
	if config, there := got[1].Elements["config"]; !there || config != "" {
		t.Errorf("the config of a task without one: %q, %v", config, there)
	}
}

func TestF03NumbersAndQuotaSuffix(t *testing.T) {
	for text, want := range map[string]uint64{"1Mi": 1 << 20, "5Mi": 5 << 20, "512Ki": 512 << 10, "1Gi": 1 << 30, "1000000": 1_000_000, "1M": 1_000_000} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{})
			l := newLab(t, target)
			succeeded(t, l.run(l.plan("tasks: [{name: hello, pkg: hey, quota: "+text+", priority: 127}]")))
			if got := starts(target)[0][0]; got.Quota != want || got.Priority != 127 {
				t.Errorf("the target reads quota %d and priority %d, want %d and 127", got.Quota, got.Priority, want)
			}
		})
	}
}

// P4, S13, S14: names beyond 15 characters never matched, those from 32 on were cut, and from 24 on overran a field.
func TestF04BinaryUpload(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	const longest = "fifteen_letters"
	p := l.plan("tasks: [{name: hello, pkg: " + longest + "}]")
	p.Binaries[longest] = binary(longest, 44_397)
	succeeded(t, l.run(p))
	for _, r := range target.Log() {
		if r.What == "BINARY" && (r.Name != longest || r.SHA256 != p.Binaries[longest].SHA256) {
			t.Errorf("the target received %s with hash %x", r.Name, r.SHA256)
		}
	}
	if target.Count("BINARY") != 1 {
		t.Errorf("%d binaries", target.Count("BINARY"))
	}

	_, err := variant.Build(specOf(t, "tasks: [{name: hello, pkg: "+longest+"x}]"))
	if err == nil || !strings.Contains(err.Error(), "15 characters") {
		t.Errorf("a pkg of 16 characters: %v", err)
	}
	l.stop()
	if err := target.Await(t.Context(), faketarget.Ended, 1); err != nil {
		t.Fatal(err)
	}
	before := len(target.Received())
	err = session.With(t.Context(), l.Class, p.Targets[0], func(s session.Session) error {
		return s.Start(t.Context(), session.Run{Tasks: []taskset.Task{{Pkg: longest + "x", Quota: 1 << 20, NumberOfJobs: 1}}})
	})
	if !errors.Is(err, session.ErrUnsupported) || len(target.Received()) != before {
		t.Errorf("error %v, and %d bytes were sent", err, len(target.Received())-before)
	}
}

// G9, P3, W1: what was longer than the first send took was cut, and the target waited for the rest for ever.
func TestF05LargeBinaryOverEthernetSegments(t *testing.T) {
	target := fake(t, faketarget.Options{MSS: 1460, ReceiveBuffer: 70_000})
	l := newLab(t, target)
	p := l.plan("tasks: [{name: sieve, pkg: tumatmul}]")
	p.Binaries["tumatmul"] = binary("tumatmul", 284_844)
	succeeded(t, l.run(p))
	for _, r := range target.Log() {
		if r.What == "BINARY" && (r.Size != 284_844 || r.SHA256 != p.Binaries["tumatmul"].SHA256) {
			t.Errorf("the target received %d bytes with hash %x", r.Size, r.SHA256)
		}
	}
}

func TestF06SeveralBinariesEachOnce(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	succeeded(t, l.run(l.plan("tasks: [{name: a, pkg: hey}, {name: b, pkg: pi}, {name: c, pkg: hey}]")))
	var got []string
	for _, r := range target.Log() {
		switch r.What {
		case "SEND_BINARIES":
			got = append(got, fmt.Sprint(r.Count))
		case "BINARY":
			got = append(got, r.Name)
		}
	}
	if diff := cmp.Diff([]string{"2", "hey", "pi"}, got); diff != "" {
		t.Errorf("uploads (-want +got):\n%s", diff)
	}
}

func TestF07EventReading(t *testing.T) {
	target := fake(t, faketarget.Options{Job: faketarget.Takes(7), StampBase: 276_700 * time.Millisecond})
	l := newLab(t, target)
	records := l.run(l.plan(four))
	var want, got []string
	for _, e := range target.Events() {
		if e.Type != session.EventJobsDone {
			want = append(want, fmt.Sprint(e.Type, " ", e.Stamp))
		}
	}
	for _, r := range records {
		got = append(got, fmt.Sprint("START ", *r.Jobs[0].Start), fmt.Sprint("EXIT ", *r.Jobs[0].End))
		if ms, ok := r.Jobs[0].Response(); !ok || ms != 7 || *r.Jobs[0].Start < 276_700 {
			t.Errorf("variant %d: response time %d", r.Variant, ms)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stamps (-target +results):\n%s", diff)
	}
}

// G2: of two frames that came together both were lost.
func TestF08FramesGluedAndSplit(t *testing.T) {
	var tasks strings.Builder
	tasks.WriteString("tasks:\n")
	for i := range 10 {
		fmt.Fprintf(&tasks, "- {name: t%d, pkg: hey}\n", i)
	}
	for name, o := range map[string]faketarget.Options{
		"ten frames in one piece":  {Burst: 10},
		"byte by byte":             {Piece: 1},
		"in pieces with pauses":    {Piece: 50, PiecePause: time.Millisecond},
		"glued and in odd pieces":  {Burst: 10, Piece: 7},
		"ten frames, small window": {Burst: 10, MSS: 536, ReceiveBuffer: 4096},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, fake(t, o))
			records := l.run(l.plan(tasks.String()))
			succeeded(t, records)
			if n := len(records[0].Jobs); n != 10 {
				t.Errorf("%d jobs, want 10", n)
			}
		})
	}
}

// G6, P10: events other than START and EXIT were logged only, so that a task that was killed never ended.
func TestF09EveryEventTypeEndsAJob(t *testing.T) {
	for _, outcome := range []string{
		session.EventExit, session.EventExitCritical, session.EventExitError, session.EventExitPeriod,
		session.EventOutOfQuota, session.EventOutOfCaps,
	} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, fake(t, faketarget.Options{Job: faketarget.EndsWith(outcome)}))
			records := l.run(l.plan(four))
			succeeded(t, records)
			for _, r := range records {
				if diff := cmp.Diff([]string{"hello " + outcome}, outcomes(r)); diff != "" {
					t.Errorf("variant %d (-want +got):\n%s", r.Variant, diff)
				}
			}
		})
	}
}

func TestF09ATaskThatIsRefusedEndsWithItsNeighbours(t *testing.T) {
	job := func(j faketarget.Job) faketarget.Plan { return faketarget.Plan{Refused: j.Task.ID == 0} }
	l := newLab(t, fake(t, faketarget.Options{Job: job}))
	records := l.run(l.plan(two))
	if diff := cmp.Diff([]string{"hello NOT_SCHEDULED", "load EXIT"}, outcomes(records[0])); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}

func TestF10JobsDoneAfterNJobs(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	records := l.run(l.plan("tasks: [{name: hello, pkg: hey, periodMilliseconds: 6, numberOfJobs: 3}]\ncompletion: {jobsPerTask: 10}\n"))
	succeeded(t, records)
	if diff := cmp.Diff([]string{"hello EXIT", "hello EXIT", "hello EXIT"}, outcomes(records[0])); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	if got := target.Events(); got[len(got)-1].Type != session.EventJobsDone {
		t.Errorf("the target's log ends with %+v", got[len(got)-1])
	}
}

func TestF11StrayPushWhereGoSendIsDue(t *testing.T) {
	stray := faketarget.Profile(faketarget.Event{Type: "EXIT_EXTERNAL", ID: 0, Stamp: 1})
	target := fake(t, faketarget.Options{
		Job:    faketarget.Takes(5),
		Faults: []faketarget.Fault{{At: faketarget.AtGoSend, Times: -1, Do: faketarget.Send(stray)}},
	})
	l := newLab(t, target)
	records := l.run(l.plan(`
tasks: [{name: hello, pkg: hey, periodMilliseconds: 6, numberOfJobs: 1000}]
sweeps:
- {task: hello, attribute: pkg, values: [hey, pi, namaste, idle, linpack, tumatmul]}
- {task: hello, attribute: priority, range: {from: 1, to: 4}}
`))
	succeeded(t, records)
	for _, r := range records {
		if r.Attempt != 1 || len(r.Jobs) != 1 || r.Jobs[0].Outcome != session.EventExit {
			t.Errorf("variant %d: attempt %d, jobs %v", r.Variant, r.Attempt, outcomes(r))
		}
	}
	if target.Count(faketarget.Unknown) != 0 || target.Count("BINARY") != 6 {
		t.Errorf("%d unknown words, %d binaries", target.Count(faketarget.Unknown), target.Count("BINARY"))
	}
}

func TestF16AvailabilityCheck(t *testing.T) {
	up, down := fake(t, faketarget.Options{Generation: taskset.G1802}), fake(t, faketarget.Options{})
	down.Refuse()
	l := newLab(t, up)
	if err := l.Class.Available(t.Context(), session.Target{Name: "up", Address: up.Address()}); err != nil {
		t.Errorf("a target that listens: %v", err)
	}
	if err := l.Class.Available(t.Context(), session.Target{Name: "down", Address: down.Address()}); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("a target that refuses: %v", err)
	}
	p := l.plan("tasks: [{name: hello, pkg: hey, periodMilliseconds: 5, caps: 100}]")
	p.Targets[0].Generation = taskset.Auto
	records := l.run(p)
	succeeded(t, records)
	if records[0].Generation != taskset.G1802 || up.Count("AVAILABLE") == 0 {
		t.Errorf("generation %s after %d AVAILABLE", records[0].Generation, up.Count("AVAILABLE"))
	}
}

func TestF39TimeStampWrap(t *testing.T) {
	const wrap = 4_294_967 // milliseconds
	target := fake(t, faketarget.Options{StampBase: (wrap - 20) * time.Millisecond, Job: faketarget.Takes(15)})
	l := newLab(t, target)
	records := l.run(l.plan(four))
	succeeded(t, records)
	var last int64
	for _, r := range records {
		ms, ok := r.Jobs[0].Response()
		if !ok || ms < 14 || ms > 16 || *r.Jobs[0].Start < last {
			t.Errorf("variant %d: from %d to %d after %d", r.Variant, *r.Jobs[0].Start, *r.Jobs[0].End, last)
		}
		last = *r.Jobs[0].End
	}
	if last <= wrap {
		t.Errorf("the last stamp is %d: nothing has wrapped", last)
	}
}

// P2: from generation 2017, which pushes nothing, events were waited for in vain.
func TestF40ServerGenerations(t *testing.T) {
	const periodic = "tasks: [{name: hello, pkg: hey, priority: 10, periodMilliseconds: 5, numberOfJobs: 1"
	cases := map[string]struct {
		generation, spec string
		refused          string // part of the reason; "" when it runs
	}{
		"2017 runs":                          {taskset.G2017, periodic + "}]", ""},
		"1608a runs":                         {taskset.G1608a, periodic + "}]", ""},
		"1608b runs":                         {taskset.G1608b, periodic + "}]", ""},
		"1802 runs with capabilities":        {taskset.G1802, periodic + ", caps: 100}]", ""},
		"1802 needs capabilities":            {taskset.G1802, periodic + "}]", "caps: 0"},
		"1802 needs a period":                {taskset.G1802, "tasks: [{name: hello, pkg: hey, caps: 100}]", "periodMilliseconds: 0"},
		"2017 has one job":                   {taskset.G2017, "tasks: [{name: hello, pkg: hey, periodMilliseconds: 5, numberOfJobs: 2}]", "numberOfJobs: 2"},
		"1608b knows no capabilities":        {taskset.G1608b, periodic + ", caps: 100}]", "caps: 100"},
		"1608b has no priority over 127":     {taskset.G1608b, "tasks: [{name: hello, pkg: hey, priority: 128}]", "priority: 128"},
		"1608a takes any priority, in vain":  {taskset.G1608a, "tasks: [{name: hello, pkg: hey, priority: 128}]", ""},
		"1608b, released once, without much": {taskset.G1608b, one, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{Generation: tc.generation, Job: faketarget.Takes(3)})
			l := newLabWith(t, taskloader.Options{PollInterval: time.Millisecond}, target)
			r := l.run(l.plan(tc.spec))[0]
			if tc.refused == "" {
				succeeded(t, []results.Record{r})
				if len(r.Jobs) != 1 || r.Jobs[0].Outcome != session.EventExit {
					t.Errorf("jobs %v", outcomes(r))
				}
				return
			}
			if r.Succeeded || r.Attempt != 1 || r.Reason != campaign.ReasonUnsupported || !strings.Contains(r.Message, tc.refused) {
				t.Errorf("attempt %d: %s: %s; want a refusal that says %q", r.Attempt, r.Reason, r.Message, tc.refused)
			}
			if target.Count("SEND_DESCS") != 0 {
				t.Error("it was sent all the same")
			}
		})
	}
}

func TestF41SecondClient(t *testing.T) {
	taken := fake(t, faketarget.Options{})
	l := newLabWith(t, taskloader.Options{IOTimeout: time.Second}, taken)
	l.cannotReset = true // it belongs to somebody else
	p := l.plan(one)
	somebody, err := l.Class.Connect(t.Context(), p.Targets[0])
	if err != nil {
		t.Fatal(err)
	}
	defer somebody.Close()
	if err := taken.Await(t.Context(), faketarget.Opened, 1); err != nil {
		t.Fatal(err)
	}
	l.Engine.Apply(p)
	found := l.await("the target to be left alone", func(s campaign.Snapshot) bool { return len(s.Quarantined) == 1 }).Quarantined[0]
	if found.Target != "a" || found.Reason != campaign.ReasonInUse || time.Until(found.Until) < 20*time.Second {
		t.Errorf("quarantine %+v", found)
	}
	for _, r := range l.records() { // what told nothing about the variant does not count as an attempt at it
		if r.Final || r.Attempt != 1 || !strings.Contains(r.Message, "serves another client") {
			t.Errorf("attempt %d: %s: %s", r.Attempt, r.Reason, r.Message)
		}
	}
	if taken.Count("SEND_DESCS") != 0 {
		t.Error("the other client was disturbed")
	}
	if err := somebody.Start(context.WithoutCancel(t.Context()), session.Run{
		Tasks: []taskset.Task{{Pkg: "hey", Quota: 1 << 20, NumberOfJobs: 1}}, Binaries: p.Binaries,
	}); err != nil {
		t.Errorf("the other client: %v", err)
	}
}
