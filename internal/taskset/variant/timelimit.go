package variant

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Parts of TimeLimit.
const (
	// JobAllowance is what a job may take that has neither a critical time nor a next release to end it.
	JobAllowance = 60 * time.Second
	// BaseAllowance is for everything that does not depend on the task-set: clearing, testing for
	// schedulability and starting on a slow target.
	BaseAllowance = 30 * time.Second
	// MaxTimeLimit is the longest limit: a week.
	MaxTimeLimit = 7 * 24 * time.Hour
)

// TimeLimit is how long a variant may take on a target, from its start, when the campaign says
// nothing. With jobs(t) = t.Jobs(jobsPerTask), all in wall-clock time:
//
//	job(t)  = criticalTime, or the period if longer, or JobAllowance when the task has neither
//	task(t) = 2 * jobs(t) * job(t)             twice, since some targets skip every other release
//	        + JobAllowance                     if it has a period but no critical time: overrun
//	limit   = BaseAllowance + 3/2 * (sum of all offsets + longest task(t)), at most MaxTimeLimit
//
// The offsets are summed because some targets wait for them one after the other. The limit is meant
// to end what would never end, not to judge whether a job was in time.
func TimeLimit(tasks []taskset.Task, jobsPerTask int32) time.Duration {
	var offsets, longest int64 // milliseconds; 10^6 jobs of 2*10^6 ms are far from 2^63
	allowance := JobAllowance.Milliseconds()
	for _, t := range tasks {
		job := max(int64(t.CriticalTime), int64(t.Period))
		if job == 0 {
			job = allowance
		}
		span := 2 * int64(t.Jobs(uint32(max(jobsPerTask, 1)))) * job
		if t.Period > 0 && t.CriticalTime == 0 {
			span += allowance
		}
		offsets += int64(t.Offset)
		longest = max(longest, span)
	}
	limit := min(BaseAllowance.Milliseconds()+(offsets+longest)*3/2, MaxTimeLimit.Milliseconds())
	return time.Duration(limit) * time.Millisecond
}
