package sched

import "slices"

// server is a part of a processor for tasks, or for the duals of other servers: a dual runs exactly when its
// server does not.
type server struct {
	rate   rate
	tasks  []*claim  // of a server at the bottom, by EDF
	duals  []*server // whose duals are served, by EDF; one of them at a time
	below  []*claim  // all tasks
	begin  rate      // where its dual begins on the circle of the processor
	issued int64     // time that its dual was given so far
	rest   int64     // time that its dual may still have before the deadline
	limit  int64     // that deadline: the next one of the tasks below
}

// dual is the rate of the dual.
func (s *server) dual() rate { return rate{whole: 1}.minus(s.rate) }

// reduce packs tasks into servers, and their duals into servers, until all that is left is servers that need a
// whole processor each, the roots. others are all other servers.
func reduce(tasks []*claim, processors int) (roots, others []*server) {
	level := packTasks(tasks)
	idle(level, processors)
	for len(level) > 0 {
		var rest []*server
		for _, s := range level {
			if s.rate.compare(rate{whole: 1}) >= 0 {
				roots = append(roots, s)
				continue
			}
			rest = append(rest, s)
		}
		others = append(others, rest...)
		level = packDuals(rest)
	}
	for _, r := range roots {
		r.arrange(rate{})
	}
	return roots, others
}

// packTasks packs the heaviest ones first, each where it fits first.
func packTasks(tasks []*claim) (servers []*server) {
	tasks = slices.Clone(tasks)
	slices.SortStableFunc(tasks, func(a, b *claim) int { return b.rate.compare(a.rate) })
	for _, k := range tasks {
		s := fit(&servers, k.rate)
		s.tasks, s.below = append(s.tasks, k), append(s.below, k)
	}
	return servers
}

// packDuals does the same with duals.
func packDuals(of []*server) (servers []*server) {
	of = slices.Clone(of)
	slices.SortStableFunc(of, func(a, b *server) int { return b.dual().compare(a.dual()) })
	for _, d := range of {
		s := fit(&servers, d.dual())
		s.duals, s.below = append(s.duals, d), append(s.below, d.below...)
	}
	return servers
}

// fit is the first server with room, or a new one.
func fit(servers *[]*server, r rate) *server {
	for _, s := range *servers {
		if sum := s.rate.add(r); sum.compare(rate{whole: 1}) <= 0 {
			s.rate = sum
			return s
		}
	}
	s := &server{rate: r}
	*servers = append(*servers, s)
	return s
}

// idle adds what the processors will idle to servers, so that they need all processors, or each a whole one.
func idle(servers []*server, processors int) {
	left := rate{whole: int64(processors)}
	for _, s := range servers {
		left = left.minus(s.rate)
	}
	for _, s := range slices.Backward(servers) {
		more := s.dual()
		if left.compare(more) < 0 {
			more = left
		}
		s.rate, left = s.rate.add(more), left.minus(more)
	}
}

// arrange gives the duals their places on the circle, from one on. A server has the rest of the circle that
// its dual leaves.
func (s *server) arrange(from rate) {
	for _, d := range s.duals {
		d.begin = rate{fraction: from.fraction}
		from = d.begin.add(d.dual())
		d.arrange(from)
	}
}

// served is the time that the dual is to have been served from the beginning up to t, in whole nanoseconds. As it
// counts those between two places on the circle, the sum over all that share a processor is t.
func (s *server) served(t int64) int64 {
	return s.begin.add(s.dual()).times(t).floor() - s.begin.times(t).floor()
}
