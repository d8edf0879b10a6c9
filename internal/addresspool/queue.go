package addresspool

import (
	"container/heap"
	"time"
)

// job is something to look at, at a time: a remembered host, or, with none, the next address of a sweep.
type job struct {
	due    time.Time
	turn   uint64 // among those that are due at the same time
	search *search
	host   *host
	index  int // in the queue; -1: not there
}

// queue is a heap of jobs, the one that is due first on top.
type queue struct {
	jobs  []*job
	turns uint64
}

// put adds a job, or moves it to another time.
func (q *queue) put(j *job, due time.Time) {
	q.turns++
	j.due, j.turn = due, q.turns
	if j.index >= 0 {
		heap.Fix(q, j.index)
		return
	}
	heap.Push(q, j)
}

// drop takes a job out, if it is there.
func (q *queue) drop(j *job) {
	if j.index >= 0 {
		heap.Remove(q, j.index)
	}
}

// take returns a job that is due, or nil.
func (q *queue) take(now time.Time) *job {
	if len(q.jobs) == 0 || q.jobs[0].due.After(now) {
		return nil
	}
	return heap.Pop(q).(*job)
}

// Len implements heap.Interface.
func (q *queue) Len() int { return len(q.jobs) }

// Less implements heap.Interface.
func (q *queue) Less(i, j int) bool {
	a, b := q.jobs[i], q.jobs[j]
	if !a.due.Equal(b.due) {
		return a.due.Before(b.due)
	}
	return a.turn < b.turn
}

// Swap implements heap.Interface.
func (q *queue) Swap(i, j int) {
	q.jobs[i], q.jobs[j] = q.jobs[j], q.jobs[i]
	q.jobs[i].index, q.jobs[j].index = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	j := x.(*job)
	j.index = len(q.jobs)
	q.jobs = append(q.jobs, j)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(q.jobs) - 1
	j := q.jobs[last]
	q.jobs[last] = nil
	q.jobs = q.jobs[:last]
	j.index = -1
	return j
}
