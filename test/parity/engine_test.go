package parity

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// endlessFirst makes the first so many jobs endless.
func endlessFirst(n int) func(faketarget.Job) faketarget.Plan {
	return func(j faketarget.Job) faketarget.Plan {
		if j.Start <= n {
			return faketarget.Plan{Milliseconds: faketarget.Endless}
		}
		return faketarget.Plan{}
	}
}

// D1: a stop while a variant ran killed the session's thread; the variant stayed in progress for ever and its
// host was lost.
func TestD01AStopWhileAVariantRunsBringsItBack(t *testing.T) {
	target := fake(t, faketarget.Options{Job: endlessFirst(1)})
	l := newLab(t, target)
	p := l.plan(four)
	l.Engine.Apply(p)
	if err := target.Await(t.Context(), "START", 1); err != nil {
		t.Fatal(err)
	}
	p.Stopped = true
	l.Engine.Apply(p)
	l.await("the stop", func(s campaign.Snapshot) bool { return s.State == campaign.StateStopped && s.Running == 0 })
	if err := target.Await(t.Context(), "STOP", 1); err != nil {
		t.Fatal(err)
	}
	if n := len(l.records()); n != 0 {
		t.Errorf("%d records of what was ended on purpose", n)
	}
	p.Stopped = false
	for _, r := range l.run(p) {
		if !r.Succeeded || r.Attempt != 1 {
			t.Errorf("variant %d: %s, attempt %d", r.Variant, r.Reason, r.Attempt)
		}
	}
}

// D7: a host that was lost while it was being added to the list was lost for ever.
func TestD07ATargetLostWhileItJoinsIsUsedAgain(t *testing.T) {
	sound := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtStart, Do: faketarget.Hang()}}})
	joins := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtClear, Times: 2, Do: faketarget.Reset()}}})
	l := newLab(t, sound, joins)
	both := l.plan(four)
	alone := both
	alone.Targets = both.Targets[:1]
	l.Engine.Apply(alone)
	if err := sound.Await(t.Context(), faketarget.Hung, 1); err != nil {
		t.Fatal(err)
	}
	l.Engine.Apply(both)
	l.await("the work of the target that joins", func(s campaign.Snapshot) bool { return s.Finished == 3 })
	sound.Thaw()
	l.await("completion", complete)
	succeeded(t, l.finals(both.Total))
}

func TestF36CompletionByDuration(t *testing.T) {
	target := fake(t, faketarget.Options{Job: func(j faketarget.Job) faketarget.Plan {
		if j.Task.ID == 1 {
			return faketarget.Plan{Milliseconds: faketarget.Endless}
		}
		return faketarget.Plan{Milliseconds: 2}
	}})
	l := newLab(t, target)
	records := l.run(l.plan(`
tasks: [{name: a, pkg: hey, periodMilliseconds: 10}, {name: b, pkg: pi}]
sweeps: [{task: a, attribute: priority, values: [1, 2]}]
completion: {durationMilliseconds: 200}
`))
	succeeded(t, records)
	for i, r := range records {
		if took := r.Ended.Sub(r.Started); took < 200*time.Millisecond {
			t.Errorf("variant %d ended after %s", i, took)
		}
		jobs := map[string]int{}
		for _, outcome := range outcomes(r) {
			jobs[outcome]++
		}
		if jobs["a EXIT"] < 15 || jobs["a EXIT"] > 21 || jobs["b EXIT_EXTERNAL"] != 1 {
			t.Errorf("variant %d: jobs %v", i, jobs)
		}
	}
	if tasks := starts(target)[0]; tasks[0].NumberOfJobs != 1_000_000 {
		t.Errorf("the target was told to end after %d jobs", tasks[0].NumberOfJobs)
	}
}

func TestF36ATargetThatFreezesDuringItsTimeHasNotCompleted(t *testing.T) {
	target := fake(t, faketarget.Options{Job: faketarget.Takes(2), Faults: []faketarget.Fault{{At: faketarget.AtStart, Do: faketarget.Hang()}}})
	l := newLab(t, target)
	p := l.plan("tasks: [{name: a, pkg: hey, periodMilliseconds: 10}]\ncompletion: {durationMilliseconds: 100}")
	l.Engine.Apply(p)
	l.await("the failure to be noticed", func(s campaign.Snapshot) bool { return s.Tally.Retried == 1 })
	target.Thaw()
	l.await("completion", complete)
	succeeded(t, l.finals(p.Total))
	if got := l.reasons(); got[0] != campaign.ReasonTargetSilent {
		t.Errorf("reasons %v", got)
	}
}

func TestASessionForEachVariant(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	succeeded(t, l.run(l.plan(four+"connectionPolicy: PerVariant\n")))
	if opened, uploads := target.Count(faketarget.Opened), target.Count("BINARY"); opened != 4 || uploads != 4 {
		t.Errorf("%d connections and %d uploads for four variants", opened, uploads)
	}
}

func TestAFreshTargetForEachVariant(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	succeeded(t, l.run(l.plan(four+"targetReset: Reboot\n")))
	if n := l.resets.Load(); n != 4 {
		t.Errorf("%d resets for four variants", n)
	}
	l.stop()
	l.start()
	l.cannotReset = true
	p := l.planOf("d", four+"targetReset: Restore\n")
	l.Engine.Apply(p)
	blocked := l.awaitOf("d", "the block", func(s campaign.Snapshot) bool { return s.Blocked != "" })
	if !strings.Contains(blocked.Blocked, "spec.targetReset Restore: target a") {
		t.Errorf("blocked: %s", blocked.Blocked)
	}
}

func TestVariantsAreLeftOutWithoutATarget(t *testing.T) {
	target := fake(t, faketarget.Options{Job: faketarget.Takes(1)})
	l := newLab(t, target)
	p := l.plan(hey6 + `where: ["tasks.hello.priority % 2 == 0"]`)
	l.Engine.Apply(p)
	l.await("some variants", func(s campaign.Snapshot) bool { return s.Finished >= 20 })
	l.stop()
	l.start()
	l.Engine.Apply(p)
	s := l.await("completion", complete)
	if s.Finished != 63 || s.Skipped != 64 || len(l.records()) != 63 {
		t.Errorf("%d finished, %d skipped, %d records", s.Finished, s.Skipped, len(l.records()))
	}
	for _, tasks := range starts(target) {
		if tasks[0].Priority%2 != 0 {
			t.Errorf("priority %d was sent", tasks[0].Priority)
		}
	}
}

func TestCampaignsShareATargetByWeight(t *testing.T) {
	l := newLab(t, fake(t, faketarget.Options{Job: faketarget.Takes(5)}))
	const sweep = one + "sweeps: [{task: hello, attribute: executionTimeMilliseconds, range: {from: 1, to: 200}}]\n"
	heavy, light := l.plan(sweep+"sharing: {weight: 3}"), l.planOf("light", sweep)
	heavy.Suspended, light.Suspended = true, true
	for _, p := range []campaign.Plan{heavy, light} {
		l.Engine.Apply(p)
		l.awaitOf(p.ID, "loading", func(s campaign.Snapshot) bool { return s.State == campaign.StateSuspended })
	}
	heavy.Suspended, light.Suspended = false, false
	l.Engine.Apply(light)
	l.Engine.Apply(heavy)
	l.await("the end of the heavier campaign", complete)
	l.awaitOf("light", "the end of the lighter campaign", complete)
	had, longest := l.shared("c", "light")
	total := had["c"] + had["light"]
	// Nobody is off by more than some turns: a busy machine makes single ones long.
	if off := had["c"]/3 - had["light"]; off.Abs() > 3*longest+total/20 {
		t.Errorf("the campaign of weight 3 had %s of the target's time, the other one %s; the longest turn took %s", had["c"], had["light"], longest)
	}
}

// shared is how long each of two campaigns had the only target while both wanted it, and the longest turn: a
// turn lasts until the next one begins.
func (l *lab) shared(first, second string) (had map[string]time.Duration, longest time.Duration) {
	l.t.Helper()
	type turn struct {
		of string
		at time.Time
	}
	var turns []turn
	ends := map[string]time.Time{}
	for _, id := range []string{first, second} {
		if err := l.Store.Each(l.t.Context(), id, func(r results.Record) error {
			turns = append(turns, turn{id, r.Started})
			if r.Started.After(ends[id]) {
				ends[id] = r.Started
			}
			return nil
		}); err != nil {
			l.t.Fatal(err)
		}
	}
	slices.SortFunc(turns, func(a, b turn) int { return a.at.Compare(b.at) })
	had = map[string]time.Duration{}
	both := false
	for i, t := range turns[:len(turns)-1] {
		both = both || t.of == first // the first campaign came last
		if !both || t.at.After(ends[first]) || t.at.After(ends[second]) {
			continue
		}
		took := turns[i+1].at.Sub(t.at)
		had[t.of] += took
		longest = max(longest, took)
	}
	return had, longest
}

func TestParallelismMayChange(t *testing.T) {
	job := faketarget.Options{Job: faketarget.Takes(faketarget.Endless)}
	l := newLab(t, fake(t, job), fake(t, job), fake(t, job))
	p := l.plan(four + "parallelism: 1")
	for _, n := range []int{1, 2, 3} {
		p.Parallelism = n
		l.Engine.Apply(p)
		l.await("as many variants as are wanted", func(s campaign.Snapshot) bool { return s.Running == n })
	}
	l.Engine.Forget("c")
}

func TestAVariantOnATargetThatLeavesIsRunElsewhere(t *testing.T) {
	leaves := fake(t, faketarget.Options{Job: faketarget.Takes(faketarget.Endless)})
	stays := fake(t, faketarget.Options{})
	l := newLab(t, leaves, stays)
	p := l.plan(four)
	l.Engine.Apply(p)
	if err := leaves.Await(t.Context(), "START", 1); err != nil {
		t.Fatal(err)
	}
	p.Targets = p.Targets[1:]
	for _, r := range l.run(p) {
		if !r.Succeeded || r.Attempt != 1 || r.Address != stays.Address() {
			t.Errorf("variant %d: %s, attempt %d at %s", r.Variant, r.Reason, r.Attempt, r.Address)
		}
	}
	if err := leaves.Await(t.Context(), "STOP", 1); err != nil {
		t.Error("what ran on the target that left goes on")
	}
}

func TestFailedVariantsAreRunAgainAfterARestart(t *testing.T) {
	poison := faketarget.Fault{At: faketarget.AtStart, Times: -1, Do: faketarget.Reset()}
	bad := fake(t, faketarget.Options{Faults: []faketarget.Fault{poison}})
	l := newLab(t, bad)
	p := l.plan(one + "retries: {limit: 1}")
	if r := l.run(p)[0]; r.Succeeded || r.Attempt != 2 {
		t.Fatalf("attempt %d, %s", r.Attempt, r.Reason)
	}
	l.stop()
	l.start()
	good := fake(t, faketarget.Options{})
	p.Targets[0].Address = good.Address()
	p.Retry = 1
	if r := l.run(p)[0]; !r.Succeeded || r.Attempt != 3 {
		t.Errorf("attempt %d, %s", r.Attempt, r.Reason)
	}
}

func TestARecordHasTheTrafficOfItsAttempt(t *testing.T) {
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	var sent, received int64
	for _, r := range l.run(l.plan(four)) {
		if r.BytesIn < 100 || r.BytesOut < 100 {
			t.Errorf("variant %d: %d bytes in, %d out", r.Variant, r.BytesIn, r.BytesOut)
		}
		sent, received = sent+r.BytesOut, received+r.BytesIn
	}
	if total := int64(len(target.Received())); sent < 44_372 || sent > total {
		t.Errorf("%d bytes were sent by the attempts, and %d in all", sent, total)
	}
	if received > 4*1000 {
		t.Errorf("%d bytes were received", received)
	}
}

func TestABadTargetGoesIntoQuarantine(t *testing.T) {
	bad := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtStart, Times: -1, Do: faketarget.Reset()}}})
	good := fake(t, faketarget.Options{Job: faketarget.Takes(50)})
	l := newLab(t, bad, good)
	p := l.plan(hey6 + "retries: {limit: 100}")
	l.Engine.Apply(p)
	s := l.await("the quarantine", func(s campaign.Snapshot) bool { return len(s.Quarantined) > 0 })
	if q := s.Quarantined[0]; q.Target != "a" || q.Reason != campaign.ReasonSessionReset {
		t.Errorf("quarantine %+v", q)
	}
	finished := s.Finished
	l.await("the others' work", func(s campaign.Snapshot) bool { return s.Finished >= finished+20 })
	if n := bad.Count(faketarget.Opened); n != 5 {
		t.Errorf("%d connections to the bad target", n)
	}
	l.Engine.Forget("c")
}

// A store that fails while targets work loses nothing and records nothing twice.
func TestAStoreThatComesBack(t *testing.T) {
	targets := []*faketarget.Target{fake(t, faketarget.Options{Job: faketarget.Takes(1)}), fake(t, faketarget.Options{Job: faketarget.Takes(1)})}
	l := newLab(t, targets...)
	outage := &outage{}
	l.stop()
	l.wrap = func(s results.Store) results.Store { outage.Store = s; return outage }
	l.start()
	p := l.plan(hey6)
	l.Engine.Apply(p)
	for done := uint64(20); done <= 80; done += 30 {
		l.await("some variants", func(s campaign.Snapshot) bool { return s.Finished >= done })
		outage.begin()
		l.await("the outage", func(s campaign.Snapshot) bool { return s.StoreError != "" && s.Running == 0 })
		outage.end()
	}
	l.await("completion", complete)
	succeeded(t, l.finals(p.Total))
	if n := len(l.records()); n != 127 {
		t.Errorf("%d records", n)
	}
	sent := 0
	for _, target := range targets {
		sent += len(starts(target))
	}
	if sent != 127 {
		t.Errorf("%d variants were sent: what waits to be written is not run again", sent)
	}
}

// outage is a store that can fail.
type outage struct {
	results.Store
	on atomic.Bool
}

func (o *outage) begin() { o.on.Store(true) }
func (o *outage) end()   { o.on.Store(false) }

func (o *outage) Put(ctx context.Context, r ...results.Record) error {
	if o.on.Load() {
		return errors.New("the disk is full")
	}
	return o.Store.Put(ctx, r...)
}
