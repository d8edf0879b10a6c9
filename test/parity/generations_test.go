package parity

import (
	"encoding/xml"
	"fmt"
	"net"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// refused checks that a run is refused with a reason before anything is sent.
func refused(t *testing.T, generation string, run session.Run, says string) {
	t.Helper()
	target := fake(t, faketarget.Options{Generation: generation})
	err := session.With(t.Context(), taskloader.New(taskloader.Options{}), at(target), func(s session.Session) error { return s.Start(t.Context(), run) })
	if err == nil || !strings.Contains(err.Error(), says) || target.Count("SEND_DESCS") != 0 {
		t.Errorf("%s: error %v, want one that says %q; %d descriptions were sent", generation, err, says, target.Count("SEND_DESCS"))
	}
}

// P5: a task without a pkg was sent with an empty name.
func TestP05ATaskWithoutABinaryIsRefused(t *testing.T) {
	if _, err := variant.Build(specOf(t, "tasks: [{name: hello}]")); err == nil || !strings.Contains(err.Error(), "pkg") {
		t.Errorf("a task-set without pkg: %v", err)
	}
	run := oneTask(binary("hey", 100))
	run.Tasks[0].Pkg = ""
	refused(t, taskset.G1608b, run, "pkg")
}

// P7, W8: each variant waited twice for a delayed acknowledgement, 40 ms and more each time.
func TestP07NoVariantWaitsForADelayedAcknowledgement(t *testing.T) {
	l := newLab(t, fake(t, faketarget.Options{MSS: 1460}))
	records := l.run(l.plan(hey6))
	succeeded(t, records)
	if took := records[126].Ended.Sub(records[0].Started); took > 127*40*time.Millisecond {
		t.Errorf("127 variants whose jobs take no time took %s", took)
	}
}

// P9: priorities beyond 127 became 0, the highest one.
func TestP09PrioritiesThatTheTargetWouldTurnIntoTheHighestAreRefused(t *testing.T) {
	for _, generation := range []string{taskset.G1608b, taskset.G1802} {
		run := oneTask(binary("hey", 100))
		run.Tasks[0].Period, run.Tasks[0].Priority = 5, 128
		if generation == taskset.G1802 {
			run.Tasks[0].Caps = 100
		}
		refused(t, generation, run, "priority: 128")
	}
}

// S3, W1: half a description of a client that was lost kills the target, which then accepts and says nothing.
func TestS03ATargetThatDiedOfAnotherClientIsBroughtBack(t *testing.T) {
	target := fake(t, faketarget.Options{})
	conn, err := net.Dial("tcp", target.Address())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(append(framing.AppendWords(nil, framing.SendDescs, 100), "<taskset><period"...)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := target.Await(t.Context(), faketarget.Died, 1); err != nil {
		t.Fatal(err)
	}
	l := newLabWith(t, taskloader.Options{IOTimeout: 300 * time.Millisecond}, target)
	records := l.run(l.plan(four))
	succeeded(t, records)
	if l.resets.Load() == 0 {
		t.Error("the target was not reset")
	}
}

// S4: XML that the target cannot read kills it. No text that a user can write makes such XML.
func TestS04NoTextOfTheConfigBreaksTheDescription(t *testing.T) {
	texts := []string{
		"</config>", "</periodictask></taskset>", "<!--", "]]>", "<?xml version=\"1.0\"?>", "&amp; & &lt;", "\"'", "a\tb\nc", "<config/>", "überall ☃", "%s%n", "",
	}
	for _, text := range texts {
		target := fake(t, faketarget.Options{})
		l := newLab(t, target)
		succeeded(t, l.run(l.plan(fmt.Sprintf("tasks: [{name: hello, pkg: hey, config: {text: %q}}]", text))))
		var config struct {
			Text string `xml:"text"`
		}
		inner := starts(target)[0][0].Elements["config"]
		if err := xml.Unmarshal([]byte("<config>"+inner+"</config>"), &config); err != nil || config.Text != text {
			t.Errorf("the target reads %q (%v), want %q", config.Text, err, text)
		}
		l.stop()
	}
	for _, bad := range []string{`{"a b": 1}`, `{"<x>": 1}`, `{"": 1}`, `{x: "\u0000"}`, `{"1": 2}`, "[1, 2]"} {
		if _, err := variant.Build(specOf(t, "tasks: [{name: hello, pkg: hey, config: "+bad+"}]")); err == nil || !strings.Contains(err.Error(), "config") {
			t.Errorf("config %s: %v", bad, err)
		}
	}
}

// S7: of an element that is there twice the target reads the first, of unknown ones nothing.
func TestS07EveryElementIsThereOnceAndKnown(t *testing.T) {
	target := fake(t, faketarget.Options{Generation: taskset.G1802})
	l := newLab(t, target)
	succeeded(t, l.run(l.plan("tasks: [{name: a, pkg: hey, periodMilliseconds: 5, criticalTimeMilliseconds: 100, executionTimeMilliseconds: 1, deadlineMilliseconds: 5, offsetMilliseconds: 1, caps: 100, cores: 1, coreOffset: 1, numberOfJobs: 1}]")))
	known := []string{"id", "priority", "quota", "pkg", "config", "period", "numberofjobs", "criticaltime", "executiontime", "deadline", "offset", "caps", "cores", "coreoffset"}
	for _, r := range target.Log() {
		if r.What != "SEND_DESCS" {
			continue
		}
		for _, name := range known {
			if n := strings.Count(r.Text, "<"+name+">"); n != 1 {
				t.Errorf("element %s is there %d times", name, n)
			}
		}
		if n := strings.Count(r.Text, "</"); n != len(known)+2 {
			t.Errorf("%d elements, want %d:\n%s", n, len(known)+2, r.Text)
		}
	}
}

// S9: numbers that are too large for 32 bits came out as others.
func TestS09NumbersThatWouldWrapAreRefused(t *testing.T) {
	cases := map[string]struct {
		change func(*taskset.Task)
		says   string
	}{
		"a period whose microseconds wrap":    {func(k *taskset.Task) { k.Period = 4_294_968 }, "periodMilliseconds: 4294968"},
		"a critical time beyond the timer":    {func(k *taskset.Task) { k.CriticalTime = 2_147_484 }, "criticalTimeMilliseconds: 2147484"},
		"a deadline beyond the timer":         {func(k *taskset.Task) { k.Deadline = 3_000_000_000 }, "deadlineMilliseconds"},
		"an offset beyond the timer":          {func(k *taskset.Task) { k.Offset = 2_147_001 }, "offsetMilliseconds: 2147001"},
		"a quota of 4 GiB, which would be 0":  {func(k *taskset.Task) { k.Quota = 1 << 32 }, "quota: 4294967296"},
		"an id that is no place in the list":  {func(k *taskset.Task) { k.ID = -1 }, "id: -1"},
		"a task that has no memory, silently": {func(k *taskset.Task) { k.Quota = 0 }, "quota: 0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			run := oneTask(binary("hey", 100))
			tc.change(&run.Tasks[0])
			refused(t, taskset.G1608b, run, tc.says)
		})
	}
}

// S10: a body of no bytes is a lost connection for one generation, and a stale value for the others.
func TestS10AnEmptyBinaryIsRefused(t *testing.T) {
	refused(t, taskset.G1608b, oneTask(session.Binary{Name: "hey"}), "empty")
}

// S11: a size of 2^31 is negative on the target, and kills it.
func TestS11ABinaryThatTheTargetCountsAsNegativeIsRefused(t *testing.T) {
	const size = 1 << 31
	if out, err := framing.AppendBinaryHeader(nil, "hey", size); err == nil || len(out) != 0 || !strings.Contains(err.Error(), "31 bits") {
		t.Errorf("%d bytes to send, error %v", len(out), err)
	}
}

// S12: a binary beyond its memory kills the target, which then keeps the connection and says nothing. This variant
// is no reason to wait for ever.
func TestS12ABinaryBeyondTheMemoryOfTheTargetEndsItsVariant(t *testing.T) {
	target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtBinary, Times: -1, Do: faketarget.Hang()}}})
	l := newLabWith(t, taskloader.Options{IOTimeout: 300 * time.Millisecond}, target)
	p := l.plan(one)
	p.Retries = 1
	p.TimeLimit = func([]taskset.Task) time.Duration { return 500 * time.Millisecond }
	r := l.run(p)[0]
	silent := r.Reason == campaign.ReasonTimedOut || r.Reason == campaign.ReasonTargetSilent
	if r.Succeeded || r.Attempt != 2 || !silent || r.Message == "" {
		t.Errorf("attempt %d: %s: %s; want the second one to be the last, because nothing came", r.Attempt, r.Reason, r.Message)
	}
	if l.resets.Load() == 0 {
		t.Error("the target was not brought back")
	}
}

// S16, S17, S18: START without binaries does nothing, START twice registers timers twice, and a second
// description without CLEAR adds its tasks to the first. Also after failures every variant is sent in order.
func TestS16EveryVariantIsSentInOrder(t *testing.T) {
	for _, generation := range []string{taskset.G2017, taskset.G1608a, taskset.G1608b, taskset.G1802} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{Generation: generation, Job: faketarget.Takes(1), Faults: []faketarget.Fault{
				{At: faketarget.AtDescription, After: 1, Do: faketarget.Reset()}, {At: faketarget.AtStart, After: 3, Do: faketarget.Close()},
			}})
			l := newLabWith(t, taskloader.Options{PollInterval: time.Millisecond}, target)
			spec := "tasks: [{name: hello, pkg: hey, periodMilliseconds: 5, numberOfJobs: 1}]\n"
			if generation == taskset.G1802 {
				spec = strings.Replace(spec, "1}", "1, caps: 100}", 1)
			}
			succeeded(t, l.run(l.plan(spec+"sweeps: [{task: hello, attribute: priority, range: {from: 1, to: 10}}]")))
			if diff := cmp.Diff([]string(nil), outOfOrder(target.Log())); diff != "" {
				t.Errorf("out of order:\n%s", diff)
			}
		})
	}
}

// outOfOrder names the messages that come without the ones that have to come before them on their connection.
func outOfOrder(log []faketarget.Record) (found []string) {
	before := map[string]string{"SEND_DESCS": "CLEAR", "SEND_BINARIES": "SEND_DESCS", "BINARY": "SEND_BINARIES", "START": "SEND_BINARIES"}
	last, connection := "", 0
	for _, r := range log {
		if r.Connection != connection {
			last, connection = "", r.Connection
		}
		switch r.What {
		case "CLEAR":
			last = r.What
		case "SEND_DESCS", "SEND_BINARIES", "BINARY", "START":
			if last != before[r.What] {
				found = append(found, fmt.Sprintf("connection %d: %s after %q", connection, r.What, last))
			}
			if r.What != "BINARY" {
				last = r.What
			}
		}
	}
	return found
}

// W6: seconds, milliseconds and microseconds were mixed. Every time in the API has its unit in its name.
func TestW06EveryTimeOfTheAPINamesItsUnit(t *testing.T) {
	timely := regexp.MustCompile(`(?i)(period|time|deadline|offset|duration|interval|delay|pause|backoff|ttl)`)
	units := regexp.MustCompile(`(Milliseconds|Seconds|MilliSeconds|PerMillisecond)`)
	seen := map[reflect.Type]bool{}
	found := 0
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[typ] || typ.PkgPath() != reflect.TypeFor[v1alpha1.TaskSetSpec]().PkgPath() {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			field := typ.Field(i)
			base := field.Type
			if base.Kind() == reflect.Pointer {
				base = base.Elem()
			}
			if number := base.Kind() >= reflect.Int && base.Kind() <= reflect.Float64; number && timely.MatchString(field.Name) && field.Name != "CoreOffset" {
				found++
				if !units.MatchString(field.Name) {
					t.Errorf("%s.%s has no unit in its name", typ.Name(), field.Name)
				}
			}
			walk(field.Type)
		}
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[v1alpha1.TaskSet](), reflect.TypeFor[v1alpha1.TargetSession](), reflect.TypeFor[v1alpha1.TargetPool]()} {
		walk(typ)
	}
	if found < 10 {
		t.Errorf("only %d times found: is the pattern still right?", found)
	}
}

// W5: hosts were lost for ever, or tried as fast as possible: here one that fails most of the time does not
// keep the others from finishing.
func TestW05ABadTargetDoesNotKeepTheOthersFromFinishing(t *testing.T) {
	bad := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtStart, Times: -1, Do: faketarget.Reset()}}})
	sound := fake(t, faketarget.Options{Job: faketarget.Takes(2)})
	l := newLab(t, bad, sound)
	p := l.plan(hey6)
	p.Retries = 20
	records := l.run(p)
	succeeded(t, records)
	for _, r := range l.records() {
		if !r.Succeeded && (r.Target != "a" || r.Reason != campaign.ReasonSessionReset) {
			t.Errorf("variant %d failed on %s: %s", r.Variant, r.Target, r.Reason)
		}
	}
	if n := bad.Count(faketarget.Opened); n > 30 {
		t.Errorf("the bad target was tried %d times", n)
	}
	if sound.Count("START") < 127 {
		t.Errorf("%d variants on the sound target", sound.Count("START"))
	}
}
