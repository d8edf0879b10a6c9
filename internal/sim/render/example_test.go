package render_test

import (
	"context"
	"fmt"
	"os"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

// A task-set of Burns and Wellings under rate-monotonic priorities.
func ExampleTable() {
	const ms = sim.Millisecond
	system := &sim.System{
		Duration:   420 * ms, // the hyperperiod
		Processors: []sim.Processor{{Name: "CPU 1"}},
		Tasks: []sim.Task{
			{ID: 1, Name: "T1", WCET: 3 * ms, Period: 7 * ms},
			{ID: 2, Name: "T2", WCET: 3 * ms, Period: 12 * ms},
			{ID: 3, Name: "T3", WCET: 5 * ms, Period: 20 * ms},
		},
	}
	scheduler, err := sched.New("RM")
	if err != nil {
		fmt.Println(err)
		return
	}
	recorder := render.NewRecorder(system, render.Window{}, 0)
	totals, err := sim.Run(context.Background(), system, scheduler, recorder)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := render.Table(os.Stdout, recorder.Run("RM", totals)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// TASK  JOBS  ENDED  MISSED  ABORTED  UNFINISHED  RESPONSE MIN  MEAN       MAX  PREEMPTIONS  MIGRATIONS
	// T1    61    60     0       0        1           3             3          3    0            0
	// T2    36    35     0       0        1           3             4.714285   6    10           0
	// T3    22    21     0       0        1           8             14.714285  20   32           0
	//
	// PROCESSOR  LOAD    OVERHEAD  IDLE
	// CPU 1      92.9 %  0.0 %     7.1 %
	//
	// RM · 1 processor · 3 tasks · 420 ms · 119 jobs · 0 misses · 0 aborts; times in ms
}
