package sched

import "github.com/genode-operator/genode-operator/internal/sim"

// queue is a heap of jobs by their keys, the most urgent one first. A job is in at most one queue.
type queue struct{ jobs []*sim.Job }

func less(a, b *sim.Job) bool {
	switch {
	case a.Key.First != b.Key.First:
		return a.Key.First < b.Key.First
	case a.Key.Second != b.Key.Second:
		return a.Key.Second < b.Key.Second
	}
	return a.Key.Third < b.Key.Third
}

// first is the most urgent job; nil: none.
func (q *queue) first() *sim.Job {
	if len(q.jobs) == 0 {
		return nil
	}
	return q.jobs[0]
}

func (q *queue) push(j *sim.Job) {
	q.jobs = append(q.jobs, j)
	q.up(len(q.jobs)-1, j)
}

// remove takes a job out; nothing happens when it is in no queue.
func (q *queue) remove(j *sim.Job) {
	at := j.Key.At - 1
	if at < 0 {
		return
	}
	j.Key.At = 0
	last := len(q.jobs) - 1
	moved := q.jobs[last]
	q.jobs[last] = nil
	q.jobs = q.jobs[:last]
	if at == last {
		return
	}
	q.down(at, moved)
	if moved.Key.At-1 == at {
		q.up(at, moved)
	}
}

func (q *queue) up(at int, j *sim.Job) {
	for at > 0 {
		parent := (at - 1) / 2
		if !less(j, q.jobs[parent]) {
			break
		}
		q.put(at, q.jobs[parent])
		at = parent
	}
	q.put(at, j)
}

func (q *queue) down(at int, j *sim.Job) {
	for {
		child := 2*at + 1
		if child >= len(q.jobs) {
			break
		}
		if child+1 < len(q.jobs) && less(q.jobs[child+1], q.jobs[child]) {
			child++
		}
		if !less(q.jobs[child], j) {
			break
		}
		q.put(at, q.jobs[child])
		at = child
	}
	q.put(at, j)
}

func (q *queue) put(at int, j *sim.Job) {
	q.jobs[at] = j
	j.Key.At = at + 1
}
