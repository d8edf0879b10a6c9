package campaign

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuarantineAfterFiveFailuresInARow(t *testing.T) {
	var q quarantine
	for i := range quarantineAfter {
		if q.holds(t0, "a") {
			t.Fatalf("in quarantine after %d failures", i)
		}
		q.failed(t0, "a", ReasonSessionReset)
	}
	if !q.holds(t0, "a") || q.holds(t0, "b") {
		t.Fatal("not in quarantine, or the wrong one")
	}
	if until := q.until("a", false); until != t0.Add(30*time.Second) {
		t.Errorf("until %s", until)
	}
}

func TestASuccessInBetweenForgives(t *testing.T) {
	var q quarantine
	for range 20 {
		for range quarantineAfter - 1 {
			q.failed(t0, "a", ReasonTimedOut)
		}
		q.succeeded("a")
	}
	if q.holds(t0, "a") || len(q.suspects) != 0 {
		t.Error("failures that are not in a row add up")
	}
}

func TestThePauseDoublesUpToTenMinutes(t *testing.T) {
	var q quarantine
	now := t0
	for range quarantineAfter - 1 {
		q.failed(now, "a", ReasonTimedOut)
	}
	var got []time.Duration
	for range 7 {
		q.failed(now, "a", ReasonTimedOut)
		pause := q.until("a", false).Sub(now)
		got = append(got, pause)
		if last := q.until("a", true).Sub(now); last != 30*time.Second {
			t.Errorf("where no other target is left the pause is %s", last)
		}
		now = now.Add(pause)
		if q.holds(now, "a") {
			t.Fatal("it does not end")
		}
	}
	s := time.Second
	if diff := cmp.Diff([]time.Duration{30 * s, 60 * s, 120 * s, 240 * s, 480 * s, 600 * s, 600 * s}, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	if !q.succeeded("a") || q.until("a", false) != (time.Time{}) {
		t.Error("a success does not forgive")
	}
}

func TestATargetInUseIsLeftAloneAtOnce(t *testing.T) {
	var q quarantine
	q.occupied(t0, "a")
	q.occupied(t0.Add(30*time.Second), "a")
	want := []Quarantined{{Target: "lab/a", Until: t0.Add(90 * time.Second), Reason: ReasonInUse}}
	if diff := cmp.Diff(want, q.list(t0, map[string]string{"a": "lab/a", "b": "lab/b"})); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestTheListIsBounded(t *testing.T) {
	var q quarantine
	names := map[string]string{}
	for i := range 3 * MaxQuarantined {
		name := fmt.Sprintf("t%02d", i)
		names[name] = name
		q.occupied(t0, name)
	}
	got := q.list(t0, names)
	if len(got) != MaxQuarantined || got[0].Target != "t00" {
		t.Errorf("%d entries, the first one %s", len(got), got[0].Target)
	}
	if got := q.list(t0.Add(time.Hour), names); len(got) != 0 {
		t.Errorf("%d entries an hour later", len(got))
	}
}

func TestTargetsThatAreGoneAreForgotten(t *testing.T) {
	var q quarantine
	for i := range 5000 {
		q.failed(t0.Add(time.Duration(i)*time.Minute), fmt.Sprint(i), ReasonTimedOut)
	}
	if len(q.suspects) > 1024 {
		t.Errorf("%d targets are remembered", len(q.suspects))
	}
}
