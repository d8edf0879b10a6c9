package sched

import (
	"math/bits"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// staticEDF is EDF on one processor that is only as fast as the tasks need it to be.
type staticEDF struct{ partitioned }

// Tunes implements sim.Tuner.
func (s *staticEDF) Tunes() {}

func (s *staticEDF) Init(v sim.View) error {
	if err := s.partitioned.Init(v); err != nil {
		return err
	}
	var sum int64
	for i := range v.Tasks() {
		sum = min(sum+speedFor(v.Tasks()[i].WCET, &v.Tasks()[i]), sim.SpeedUnit)
	}
	v.SetSpeed(0, sum)
	return nil
}

// speedFor is the speed at which work is done in the window of a task, rounded up.
func speedFor(work sim.Time, t *sim.Task) int64 {
	w := window(t)
	switch {
	case work == 0:
		return 0
	case w == sim.Never || w <= work:
		return sim.SpeedUnit
	}
	hi, lo := bits.Mul64(uint64(work), sim.SpeedUnit)
	q, _ := bits.Div64(hi, lo, uint64(w))
	return int64(q) + 1
}

// cycleConservingEDF counts a task with what its last job really needed, from its end to the next release.
type cycleConservingEDF struct {
	partitioned
	speeds []int64 // by task
	sum    int64
}

// Tunes implements sim.Tuner.
func (c *cycleConservingEDF) Tunes() {}

func (c *cycleConservingEDF) Init(v sim.View) error {
	if err := c.partitioned.Init(v); err != nil {
		return err
	}
	c.speeds = make([]int64, len(v.Tasks()))
	for i := range v.Tasks() {
		c.count(i, v.Tasks()[i].WCET)
	}
	return nil
}

// count counts a task with so much work.
func (c *cycleConservingEDF) count(task int, work sim.Time) {
	c.sum -= c.speeds[task]
	c.speeds[task] = speedFor(work, &c.view.Tasks()[task])
	c.sum += c.speeds[task]
	c.view.SetSpeed(0, c.sum)
}

func (c *cycleConservingEDF) Activated(j *sim.Job) {
	c.partitioned.Activated(j)
	c.count(j.Index, j.Task.WCET)
}

func (c *cycleConservingEDF) Ended(j *sim.Job) {
	c.partitioned.Ended(j)
	c.count(j.Index, j.Task.WCET-c.view.Reserve(j))
}

// NewStaticEDF is EDF on one processor at a speed of the tasks' utilization. Deadlines before the end of the period count
// instead of it. (Pillai and Shin, Real-Time Dynamic Voltage Scaling for Low-Power Embedded Operating Systems, SOSP
// 2001.)
func NewStaticEDF() sim.Scheduler {
	return &staticEDF{partitioned{key: byDeadline, place: onlyOne}}
}

// NewCycleConservingEDF is cycle-conserving EDF: the same, and a task whose job ended early counts for less until its next
// release. (Pillai and Shin 2001.)
func NewCycleConservingEDF() sim.Scheduler {
	return &cycleConservingEDF{partitioned: partitioned{key: byDeadline, place: onlyOne}}
}

func init() {
	Register(Policy{"Static-EDF", Uniprocessor, "EDF at the lowest speed that is enough", Plain(NewStaticEDF)}, "Static_EDF")
	Register(Policy{"CC-EDF", Uniprocessor, "EDF at the lowest speed, cycle-conserving", Plain(NewCycleConservingEDF)}, "CC_EDF")
}
