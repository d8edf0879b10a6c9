package statistics

// Acceptance sums up the outcomes of a sweep for each scheduler.
type Acceptance struct {
	schedulers []string
	of         map[string]*Accepted
}

// Accepted is what a scheduler accepted.
type Accepted struct {
	Scheduler string
	Points    []Share
	// Jobs of all systems together.
	Jobs Jobs

	weight, total float64
}

// Share of the systems of a point.
type Share struct {
	Accepted, Sets int64
	// Utilization is the mean of the systems'.
	Utilization float64

	utilization float64 // together
}

// Ratio is the share as a number from 0 to 1, 0 without any systems.
func (s Share) Ratio() float64 {
	if s.Sets == 0 {
		return 0
	}
	return float64(s.Accepted) / float64(s.Sets)
}

// Add counts an outcome. Give them in their order: sums of fractions depend on it in their last digits.
func (a *Acceptance) Add(o *Outcome) {
	if a.of == nil {
		a.of = map[string]*Accepted{}
	}
	s := a.of[o.Scheduler]
	if s == nil {
		s = &Accepted{Scheduler: o.Scheduler}
		a.of[o.Scheduler] = s
		a.schedulers = append(a.schedulers, o.Scheduler)
	}
	for len(s.Points) <= o.Point {
		s.Points = append(s.Points, Share{})
	}
	p := &s.Points[o.Point]
	p.Sets++
	p.utilization += o.Utilization
	p.Utilization = p.utilization / float64(p.Sets)
	s.total += o.Utilization
	if o.Accepted {
		p.Accepted++
		s.weight += o.Utilization
	}
	if o.jobs != nil {
		s.Jobs.Merge(o.jobs)
	}
}

// Schedulers in the order in which they first came.
func (a *Acceptance) Schedulers() []*Accepted {
	all := make([]*Accepted, len(a.schedulers))
	for i, name := range a.schedulers {
		all[i] = a.of[name]
	}
	return all
}

// Weighted schedulability is one number for a whole sweep, 0 to 1: the utilization of the accepted systems by that of
// all, so that heavy systems count for more (Bastoni, Brandenburg and Anderson, Cache-Related Preemption and Migration
// Delays: Empirical Approximation and Impact on Schedulability, OSPERT 2010). It is 0 without any systems.
func (s *Accepted) Weighted() float64 {
	if s.total == 0 {
		return 0
	}
	return s.weight / s.total
}
