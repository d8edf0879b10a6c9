package sim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// beginnings notes when jobs begin and end, in the order in which it hears of it.
type beginnings struct{ heard []int64 }

func (b *beginnings) Job(r *sim.Record) { b.heard = append(b.heard, int64(-r.Task.ID), r.Ended) }

func (b *beginnings) Began(j *sim.Job, at sim.Time) {
	b.heard = append(b.heard, int64(j.Task.ID), at)
}

func TestAnObserverHearsOfBeginningsAsTheyCome(t *testing.T) {
	s := &sim.System{Duration: 10, Processors: make([]sim.Processor, 1), Tasks: []sim.Task{
		{ID: 1, WCET: 5, Deadline: 10}, {ID: 2, Offset: 2, WCET: 1, Deadline: 2},
	}}
	var b beginnings
	if _, err := sim.Run(t.Context(), s, sched.NewEDF(), &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{1, 0, 2, 2, -2, 3, -1, 6}, b.heard); diff != "" {
		t.Errorf("task and time (-want +got):\n%s", diff)
	}
}
