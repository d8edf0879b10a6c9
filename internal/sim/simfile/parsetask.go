package simfile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// MostProcessors is the largest number of processors of a file.
const MostProcessors = 1024

// mostJobs is the largest number of jobs after which a task ends.
const mostJobs = 1 << 40

func (p *parser) task(n node, index int) sim.Task {
	if !n.object("id", "name", "kind", "offset", "period", "jitter", "arrivals", "slack", "deadline", "wcet", "execution",
		"priority", "jobs", "follower", "after", "sections", "onMiss", "criticalTime", "server", "cpu") {
		return sim.Task{}
	}
	t := sim.Task{
		ID:           int(n.field("id").integer(int64(index)+1, math.MinInt32, math.MaxInt32)),
		Name:         n.field("name").text(""),
		Offset:       n.field("offset").time(),
		Period:       n.field("period").time(),
		Jitter:       n.field("jitter").time(),
		Deadline:     n.field("deadline").time(),
		WCET:         n.field("wcet").time(),
		Priority:     n.field("priority").integer(0, math.MinInt64, math.MaxInt64),
		Jobs:         n.field("jobs").integer(0, 0, mostJobs),
		OnMiss:       sim.MissPolicy(strings.Replace(n.field("onMiss").choice("Continue", "Abort", "SkipNext"), "Continue", "", 1)),
		CriticalTime: n.field("criticalTime").time(),
		Execution:    execution(n.field("execution")),
		Sections:     sections(n.field("sections")),
	}
	p.releases(&t, n)
	if n.field("wcet").absent() {
		n.field("wcet").refuse("say how long a job takes at most")
	}
	if s := n.field("server"); !s.absent() && s.object("budget", "period", "deadline") {
		t.Server = sim.Server{Budget: s.field("budget").time(), Period: s.field("period").time(), Deadline: s.field("deadline").time()}
	}
	if cpu := n.field("cpu"); !cpu.absent() {
		t.Processor, t.Pinned = int(cpu.integer(1, 1, int64(len(p.file.System.Processors))))-1, true
	}
	return t
}

// releases reads what releases jobs, and refuses fields that mean nothing then.
func (p *parser) releases(t *sim.Task, n node) {
	t.Kind = sim.Kind(strings.Replace(n.field("kind").choice("Periodic", "Sporadic", "Aperiodic"), "Periodic", "", 1))
	t.Arrivals = n.field("arrivals").ascending()
	t.Slack = n.field("slack").time()
	for _, rule := range []struct {
		field  string
		broken bool
		remedy string
	}{
		{"arrivals", !n.field("arrivals").absent() && t.Kind != sim.Sporadic, "only sporadic tasks have them; set kind to Sporadic, or remove them"},
		{"slack", t.Slack > 0 && (t.Kind != sim.Sporadic || len(t.Arrivals) > 0), "only sporadic tasks without arrivals have it; set kind to Sporadic and remove arrivals"},
		{"offset", t.Offset > 0 && t.Kind != sim.Periodic && t.Slack == 0, "only tasks that are periodic, or sporadic with slack, have it; remove it"},
		{"jitter", t.Jitter > 0 && (t.Kind != sim.Periodic || t.Jitter >= t.Period), "only periodic tasks have it, and it must be less than the period"},
	} {
		if rule.broken {
			n.field(rule.field).refuse(rule.remedy)
		}
	}
}

// ascending are times that are in order.
func (n node) ascending() []sim.Time {
	var times []sim.Time
	for i, at := range n.list() {
		times = append(times, at.time())
		if i > 0 && times[i] < times[i-1] {
			at.refuse("earlier than the one before it; sort " + n.path)
		}
	}
	return times
}

// execution is how long jobs really take; nil: the WCET.
func execution(n node) sim.Execution {
	if n.absent() || !n.object("normal", "uniform", "observed") {
		return nil
	}
	normal, uniform, observed := n.field("normal"), n.field("uniform"), n.field("observed")
	given := 0
	for _, f := range []node{normal, uniform, observed} {
		if !f.absent() {
			given++
		}
	}
	switch {
	case given != 1:
		n.refuse("give one of normal, uniform and observed")
	case !normal.absent() && normal.object("mean", "deviation"):
		return sim.Normal{Mean: normal.field("mean").time(), Deviation: normal.field("deviation").time()}
	case !uniform.absent() && uniform.object("least", "most"):
		u := sim.Uniform{Least: uniform.field("least").time(), Most: uniform.field("most").time()}
		if u.Least > u.Most {
			uniform.field("least").refuse("is more than most; exchange them")
		}
		return u
	case !observed.absent():
		return histogram(observed)
	}
	return nil
}

func histogram(n node) sim.Execution {
	var times []sim.Time
	for _, o := range n.list() {
		times = append(times, o.time())
	}
	if len(times) == 0 {
		n.refuse("give times that were observed")
		return nil
	}
	return sim.NewHistogram(times)
}

// unique refuses tasks with the same id, or of the same name.
func (p *parser) unique(rows []node) {
	ids, names := map[int]int{}, map[string]int{}
	for i := range p.file.System.Tasks {
		t := &p.file.System.Tasks[i]
		if before, twice := ids[t.ID]; twice {
			rows[i].member("id").refuse(fmt.Sprintf("tasks[%d] has the id %d, too; give each task its own", before, t.ID))
		}
		ids[t.ID] = i
		if before, twice := names[t.Name]; twice && t.Name != "" {
			rows[i].member("name").refuse(fmt.Sprintf("tasks[%d] has it, too; give each task its own", before))
		}
		names[t.Name] = i
	}
}

// follow finds the task that is released at the end of each job, by its name.
func (p *parser) follow(t *sim.Task, n node) {
	if n.absent() {
		return
	}
	name := n.text("")
	t.Follower = slices.IndexFunc(p.file.System.Tasks, func(o sim.Task) bool { return o.Name == name })
	if t.Follows = t.Follower >= 0 && name != ""; !t.Follows {
		t.Follower = 0
		n.refuse("there is no task of this name")
	}
}
