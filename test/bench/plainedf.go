package main

import (
	"container/heap"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// plainEDF is what somebody writes who needs earliest deadline first on one processor, and nothing else: a heap of
// releases and one of jobs. It knows no costs, no other scheduler, no events and no rules for what happens at the same
// time. The simulator is compared with it.
func plainEDF(s *sim.System, record func(*sim.Record)) (ended int64) {
	releases, ready := make(plainHeap, len(s.Tasks)), plainHeap{}
	for i := range s.Tasks {
		releases[i] = &plainJob{key: s.Tasks[i].Offset, index: i}
	}
	heap.Init(&releases)
	now := sim.Time(0)
	for {
		for releases[0].key <= now {
			due := releases[0]
			task := &s.Tasks[due.index]
			due.number++
			j := &plainJob{key: due.key + task.Period, index: due.index, number: due.number, left: task.WCET}
			j.record = sim.Record{Task: task, Index: due.index, Number: due.number, Released: due.key, Deadline: j.key, Begun: sim.Never}
			heap.Push(&ready, j)
			due.key += task.Period
			heap.Fix(&releases, 0)
		}
		next := min(releases[0].key, s.Duration+1)
		if len(ready) == 0 {
			if now = next; now > s.Duration {
				return ended
			}
			continue
		}
		j := ready[0]
		j.record.Begun = min(j.record.Begun, now)
		until := min(next, now+j.left)
		j.run(now, until)
		if now = until; now > s.Duration {
			return ended
		}
		if j.left == 0 {
			heap.Pop(&ready)
			j.record.Ended, j.record.Missed = now, now > j.record.Deadline
			record(&j.record)
			ended++
		}
	}
}

// plainJob is a job, or the next release of a task.
type plainJob struct {
	key    sim.Time // deadline, or when it is released
	index  int
	number int64
	left   sim.Time
	record sim.Record
}

func (j *plainJob) run(from, to sim.Time) {
	j.left -= to - from
	j.record.Executed += to - from
	if n := len(j.record.Segments); n > 0 && j.record.Segments[n-1].To == from {
		j.record.Segments[n-1].To = to
		return
	} else if n > 0 {
		j.record.Preemptions++
	}
	j.record.Segments = append(j.record.Segments, sim.Segment{From: from, To: to})
}

type plainHeap []*plainJob

func (h plainHeap) Len() int { return len(h) }
func (h plainHeap) Less(a, b int) bool {
	return h[a].key < h[b].key || h[a].key == h[b].key && h[a].index < h[b].index
}
func (h plainHeap) Swap(a, b int) { h[a], h[b] = h[b], h[a] }
func (h *plainHeap) Push(x any)   { *h = append(*h, x.(*plainJob)) }
func (h *plainHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return x
}
