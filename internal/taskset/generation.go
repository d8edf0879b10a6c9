package taskset

// Generations of the taskloader's wire protocol, as the API names them.
const (
	// Auto stands for a generation that is not known yet: only the rules of all of them apply.
	Auto = "Auto"
	// G2017 never pushes events and runs one job of a task in its life.
	G2017 = "2017"
	// G1608a pushes events; it ignores the number of jobs.
	G1608a = "1608a"
	// G1608b keeps the number of jobs and reports every way in which a job can end.
	G1608b = "1608b"
	// G1802 adds capability quotas and affinities, and answers AVAILABLE.
	G1802 = "1802"
)

// Jobs is the number of jobs of the task that can be expected to end when perTask jobs of every task
// are wanted: a task without a period is released once, and no task runs more often than its own
// NumberOfJobs. It is at least 1.
func (t Task) Jobs(perTask uint32) uint32 {
	jobs := max(perTask, 1)
	if t.NumberOfJobs > 0 {
		jobs = min(jobs, t.NumberOfJobs)
	}
	if t.Period == 0 {
		return 1
	}
	return jobs
}
