package simfile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// saved is a model with all that SimSo writes into a file.
const saved = `<?xml version="1.0" ?>
<simulation cycles_per_ms="1000000" duration="420000000" etm="fixedpenalty" penalty_preemption="123" penalty_migration="456">
  <sched className="" class="simso.schedulers.EKG" overhead="50000" overhead_activate="20000" overhead_terminate="30000">
    <field name="K" value="2" type="int"/>
  </sched>
  <caches memory_access_time="100"><cache name="L1" id="1" policy="LRU" type="data" size="1000" access_time="1"/></caches>
  <processors migration_overhead="7">
    <field name="cluster" type="int"/>
    <processor name="CPU 1" id="1" cl_overhead="70000" cs_overhead="50000" speed="1.0" cluster="1"><cache ref="1"/></processor>
    <processor name="CPU 2" id="2" cl_overhead="0" cs_overhead="0" speed="0.5" cluster="1"/>
  </processors>
  <tasks>
    <field name="priority" type="int"/>
    <field name="cpu" type="int"/>
    <task name="TASK T1" id="1" task_type="Periodic" abort_on_miss="yes" period="7" activationDate="0.5" list_activation_dates=""
      deadline="7" base_cpi="1.0" instructions="0" mix="0.5" WCET="1.001" ACET="0.0" preemption_cost="0" et_stddev="0.0" priority="3" cpu="2"/>
    <task name="TASK T2" id="2" task_type="Sporadic" abort_on_miss="no" period="10" activationDate="0" list_activation_dates="1.0, 2.5, 30"
      deadline="8.2" WCET="3" followed_by="3" priority="1"/>
    <task name="TASK T3" id="3" task_type="APeriodic" abort_on_miss="no" period="10" deadline="6" WCET="2" followed_by=""/>
  </tasks>
</simulation>`

// TestF48XMLIsTheSameModel: everything that a file says is in the system, penalties and costs included.
func TestF48XMLIsTheSameModel(t *testing.T) {
	got, err := simfile.ParseXML([]byte(saved))
	if err != nil {
		t.Fatal(err)
	}
	const ms = sim.Millisecond
	want := &simfile.File{
		Scheduler: "simso.schedulers.EKG", Options: map[string]string{"group": "2"}, CPUs: []int64{1, 2},
		System: sim.System{
			Duration:  420 * ms,
			Overheads: sim.Overheads{Decide: 50_000, Activate: 20_000, End: 30_000, Preempt: 123, Migration: 463},
			Processors: []sim.Processor{
				{Name: "CPU 1", Save: 50_000, Load: 70_000}, {Name: "CPU 2", SpeedNumerator: 1, SpeedDenominator: 2},
			},
			Tasks: []sim.Task{
				{
					ID: 1, Name: "TASK T1", Period: 7 * ms, Offset: ms / 2, Deadline: 7 * ms, WCET: 1_001_000, OnMiss: sim.Abort,
					Priority: 3, Processor: 1, Pinned: true,
				},
				{
					ID: 2, Name: "TASK T2", Kind: sim.Sporadic, Period: 10 * ms, Arrivals: []sim.Time{ms, 5 * ms / 2, 30 * ms},
					Deadline: 8_200_000, WCET: 3 * ms, Priority: 1, Follower: 2, Follows: true,
				},
				{ID: 3, Name: "TASK T3", Kind: sim.Aperiodic, Period: 10 * ms, Deadline: 6 * ms, WCET: 2 * ms},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestF48WhatXMLLeavesOut has SimSo's defaults.
func TestF48WhatXMLLeavesOut(t *testing.T) {
	got, err := simfile.ParseXML([]byte(`<simulation etm="fixedpenalty" cycles_per_ms="1000">
		<sched className="./my/RM.py"/><processors><processor id="4" name="A" cs_overhead="3"/></processors>
		<tasks><task id="1" name="a" abort_on_miss="0"/></tasks></simulation>`))
	if err != nil {
		t.Fatal(err)
	}
	s := got.System
	if s.Duration != 50*sim.Millisecond || s.Overheads.Preempt != 100*sim.Millisecond || s.Processors[0].Save != 3000 {
		t.Errorf("duration %d, penalty %d, save %d: 1000 cycles are a millisecond", s.Duration, s.Overheads.Preempt, s.Processors[0].Save)
	}
	if task := s.Tasks[0]; got.Scheduler != "RM" || task.Period != 10*sim.Millisecond || task.Deadline != 10*sim.Millisecond || task.OnMiss != sim.Continue {
		t.Errorf("%s: %+v", got.Scheduler, task)
	}
}
