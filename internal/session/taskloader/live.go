package taskloader

import (
	"fmt"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// liveView makes events from live frames, for targets that do not push; see the package comment for
// what can be known that way. It is pure.
type liveView struct {
	before map[framing.Thread]bool // threads that were there before the variant, times zeroed
	tasks  []*liveTask
}

type liveTask struct {
	id       int
	label    string // its component in the session label of its threads
	critical int64  // milliseconds; 0: none
	open     bool   // a job runs
	any      bool   // a job has been seen
	start    int64
	lastSeen int64 // newest time that is known of the open job
}

// newLiveView takes the threads that are there before the start: they belong to earlier variants.
func newLiveView(tasks []taskset.Task, before []framing.Thread) *liveView {
	v := &liveView{before: map[framing.Thread]bool{}}
	for _, t := range before {
		v.before[identity(t)] = true
	}
	for _, t := range tasks {
		v.tasks = append(v.tasks, &liveTask{id: t.ID, label: fmt.Sprintf("%02d.%s", t.ID, t.Pkg), critical: int64(t.CriticalTime)})
	}
	return v
}

// identity is what stays the same of a thread from frame to frame.
func identity(t framing.Thread) framing.Thread {
	return framing.Thread{ID: t.ID, Session: t.Session, Name: t.Name, ArrivalTime: t.ArrivalTime, StartTime: t.StartTime}
}

// observe returns what has happened since the frame before.
func (v *liveView) observe(threads []framing.Thread, stopping bool) []framing.Event {
	var events []framing.Event
	for _, task := range v.tasks {
		var own []framing.Thread
		for _, t := range threads {
			if t.State != 0 && !v.before[identity(t)] && slices.Contains(strings.Split(t.Session, " -> "), task.label) {
				own = append(own, t)
			}
		}
		events = append(events, task.observe(own, stopping)...)
	}
	return events
}

func (t *liveTask) observe(threads []framing.Thread, stopping bool) []framing.Event {
	var events []framing.Event
	start, end, alive := span(threads)
	if !t.open && len(threads) > 0 && (!t.any || start > t.start) {
		t.open, t.any, t.start, t.lastSeen = true, true, start, start
		events = append(events, framing.Event{Type: session.EventStart, TaskID: t.id, Stamp: start})
	}
	if !t.open {
		return events
	}
	t.lastSeen = max(t.lastSeen, end)
	if alive {
		return events
	}
	t.open = false
	kind := session.EventExit
	switch {
	case stopping:
		kind = session.EventExitExternal
	case t.critical > 0 && t.lastSeen-t.start >= t.critical:
		kind = session.EventExitCritical
	}
	return append(events, framing.Event{Type: kind, TaskID: t.id, Stamp: t.lastSeen})
}

// span is the first start of the threads, the newest time that is known of them, and whether any lives.
func span(threads []framing.Thread) (start, end int64, alive bool) {
	for i, t := range threads {
		began := t.StartTime
		if began == 0 {
			began = t.ArrivalTime
		}
		if i == 0 || began < start {
			start = began
		}
		end = max(end, t.ExitTime, began+t.ExecutionTime)
		alive = alive || t.State != framing.ThreadDead && t.ExitTime == 0
	}
	return start, end, alive
}
