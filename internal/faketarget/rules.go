package faketarget

import "github.com/genode-operator/genode-operator/internal/taskset"

// rules are the differences between the generations.
type rules struct {
	pushes       bool   // profile frames are pushed
	getProfile   bool   // GET_PROFILE is known
	saysEmpty    bool   // queries are answered even when there is nothing to tell
	optimize     bool   // OPTIMIZE is known
	reboot       bool   // REBOOT is known
	available    bool   // AVAILABLE is known, and echoed
	countsJobs   bool   // numberofjobs is the exact number of jobs, and JOBS_DONE follows the last one
	oneJob       bool   // a task runs one job in its life
	onceAtOnce   bool   // period 0: one job at once; otherwise such a task never starts
	keepsChild   bool   // a child that exited is destroyed by the next tick, which starts nothing
	overrun      string // event for a job that its next release finds running; "": the tick is skipped
	strayKiller  bool   // the critical-time timer outlives its job and kills the next one
	offsets      bool   // offset is respected
	startSleeps  bool   // START blocks for the sum of the offsets
	saysRefused  bool   // NOT_SCHEDULED is logged
	noticesLoss  bool   // of a connection inside a body; otherwise what has come is taken for the whole
	keepsOldCode bool   // a second binary of the same name has no effect
}

func rulesOf(generation string) rules {
	switch generation {
	case taskset.G2017:
		return rules{saysEmpty: true, optimize: true, oneJob: true, onceAtOnce: true, strayKiller: true, noticesLoss: true}
	case taskset.G1608a:
		return rules{pushes: true, getProfile: true, saysEmpty: true, reboot: true, onceAtOnce: true, strayKiller: true}
	case taskset.G1802:
		return rules{
			pushes: true, getProfile: true, reboot: true, available: true, countsJobs: true, keepsChild: true,
			overrun: "EXIT_PERIOD", offsets: true, startSleeps: true, saysRefused: true, keepsOldCode: true,
		}
	default:
		return rules{
			pushes: true, getProfile: true, reboot: true, countsJobs: true, onceAtOnce: true,
			overrun: "EXIT_PERIOD", offsets: true, saysRefused: true,
		}
	}
}

// finished reports whether a task has had all the jobs that its generation gives it.
func (r rules) finished(t *task) bool {
	switch {
	case r.countsJobs:
		return t.jobs >= t.NumberOfJobs
	case r.oneJob, t.Period == 0:
		return t.jobs > 0
	}
	return false
}

// first is when a task is released for the first time after START, in milliseconds; false: never.
func (r rules) first(t *task) (int64, bool) {
	switch {
	case t.Period == 0:
		return 0, r.onceAtOnce
	case r.oneJob && t.NumberOfJobs > 0:
		return int64(t.Period), true // the one-shot timer is armed, and nothing happens at once
	}
	return 0, true
}
