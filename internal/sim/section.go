package sim

import "fmt"

// Section is a part of a job's work for which it has a resource to itself. A job that finds the resource taken waits,
// and the job that has it runs in its place until it gives it back: priority inheritance (Sha, Rajkumar and Lehoczky,
// Priority Inheritance Protocols: An Approach to Real-Time Synchronization, IEEE Transactions on Computers 39(9), 1990).
// Sections of a task do not overlap, so that no jobs can wait for each other.
type Section struct {
	Resource int
	From, To Time // of the work
}

// mostResources is the number of resources that there may be.
const mostResources = 1 << 10

func (c *checker) sections(path string, t *Task, processors int) {
	c.refuse(len(t.Sections) > 0 && processors > 1, path, fmt.Sprint(len(t.Sections), " of them"),
		"resources are simulated on one processor only; use one, or remove them")
	last := Time(0)
	for i, s := range t.Sections {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.refuse(s.Resource < 0 || s.Resource >= mostResources, at+".resource", s.Resource, fmt.Sprintf("use 0 to %d", mostResources-1))
		c.within(at+".from", s.From, last, t.WCET)
		c.within(at+".to", s.To, s.From+1, t.WCET)
		last = max(last, s.To)
	}
}

// resources is as many as the tasks name.
func resources(tasks []Task) int {
	n := 0
	for i := range tasks {
		for _, s := range tasks[i].Sections {
			n = max(n, s.Resource+1)
		}
	}
	return n
}

// border is where the job's next section begins or ends, in its work; Never if there is none.
func (j *Job) border() Time {
	sections := j.Task.Sections
	switch i := j.step / 2; {
	case i >= len(sections):
		return Never
	case j.step%2 == 0:
		return sections[i].From
	default:
		return sections[i].To
	}
}

// pass is called when a job has come to a border, or tries again. It reports whether the job may go on.
func (e *engine) pass(j *Job) bool {
	holder := &e.holders[j.Task.Sections[j.step/2].Resource]
	switch {
	case j.step%2 == 1:
		*holder = nil
	case *holder != nil:
		return false
	default:
		*holder = j
	}
	from := j.border()
	j.step++
	if to := j.border(); to == Never {
		j.ahead = Never
	} else {
		j.ahead += (to - from) * e.scale
	}
	return true
}

// instead is the job that runs when a job was chosen: itself, or the one that has what it waits for.
func (e *engine) instead(j *Job) *Job {
	for j.ahead <= 0 {
		if !e.pass(j) {
			return e.holders[j.Task.Sections[j.step/2].Resource]
		}
	}
	return j
}

// giveBack frees what a job has that ends.
func (e *engine) giveBack(j *Job) {
	if j.step%2 == 1 {
		e.holders[j.Task.Sections[j.step/2].Resource] = nil
	}
}

// atBorder lets the job that runs enter or leave a section, and its processor go on with whoever may run. It reports
// whether the job is not done yet.
func (e *engine) atBorder(p *processor) bool {
	j := p.running
	e.account(p)
	if j.work <= 0 || j.ahead > 0 {
		return false
	}
	e.pass(j)
	e.stop(p)
	e.start(p)
	return true
}
