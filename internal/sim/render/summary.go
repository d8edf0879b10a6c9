package render

import "github.com/genode-operator/genode-operator/internal/sim"

// Summary sums up the jobs of a task.
type Summary struct {
	Released   int64
	Ended      int64 // completed, late ones included
	Unfinished int64 // at the end of the simulation
	Missed     int64 // late, aborted, or unfinished although the deadline has come
	Aborted    int64
	// Preemptions counts pauses on one processor, Migrations changes of it.
	Preemptions, Migrations int64
	// Least, Most and Total response time of the completed jobs.
	Least, Most, Total sim.Time
}

func (s *Summary) add(j *sim.Record) {
	s.Released++
	s.Preemptions += int64(j.Preemptions)
	s.Migrations += int64(j.Migrations)
	if j.Missed {
		s.Missed++
	}
	switch {
	case j.Aborted:
		s.Aborted++
	case j.Ended == sim.Never:
		s.Unfinished++
	default:
		if r := j.Response(); s.Ended == 0 || r < s.Least {
			s.Least = r
		}
		s.Ended++
		s.Most = max(s.Most, j.Response())
		s.Total += j.Response()
	}
}

// Mean response time of the completed jobs, rounded down; 0 without any.
func (s *Summary) Mean() sim.Time {
	if s.Ended == 0 {
		return 0
	}
	return s.Total / s.Ended
}

// sum is over all tasks; its response times mean nothing.
func sum(tasks []Summary) (all Summary) {
	for _, s := range tasks {
		all.Released += s.Released
		all.Ended += s.Ended
		all.Unfinished += s.Unfinished
		all.Missed += s.Missed
		all.Aborted += s.Aborted
		all.Preemptions += s.Preemptions
		all.Migrations += s.Migrations
	}
	return all
}
