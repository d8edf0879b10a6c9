package addresspool

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// never is a pause that only a wake-up ends.
const never = 24 * time.Hour

// Start looks at addresses until ctx ends. It is called once.
func (s *Scanner) Start(ctx context.Context) error {
	var checks sync.WaitGroup
	defer checks.Wait()
	for {
		timer := real.NewTimer(s.begin(ctx, &checks))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.wake:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// nudge makes Start look at the queue.
func (s *Scanner) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // it has not taken the last one yet
	}
}

// begin begins the checks that are due, as far as there is room, and returns the time to the next one.
func (s *Scanner) begin(ctx context.Context, checks *sync.WaitGroup) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.running < s.o.Concurrency {
		now := real.Now()
		j := s.queue.take(now)
		if j == nil {
			break
		}
		if l, ok := s.look(j, now); ok {
			s.running++
			checks.Go(func() { s.run(ctx, l) })
		}
	}
	if s.running >= s.o.Concurrency || s.queue.Len() == 0 {
		return never
	}
	return max(s.queue.jobs[0].due.Sub(real.Now()), 0)
}

// look is one check that is under way.
type look struct {
	search *search
	check  Check
	addr   netip.Addr
	job    *job  // of a remembered host; nil: a visit of the sweep
	news   int64 // of the host when the check began
}

// look says what to do for a job that was taken from the queue; false: nothing. s.mu is held.
func (s *Scanner) look(j *job, now time.Time) (look, bool) {
	l := look{search: j.search, check: j.search.check}
	if j.host != nil {
		l.job, l.addr, l.news = j, j.host.Addr, j.host.news
		return l, true
	}
	var more bool
	if l.addr, more = j.search.visit(s.o.MaxHosts); more {
		s.queue.put(j, now) // behind the others that are due
		return l, true
	}
	s.endRound(j.search, now)
	return look{}, false
}

func (s *Scanner) endRound(set *search, now time.Time) {
	if pause, ended := set.round(s.o.First, s.o.Longest); ended {
		s.queue.put(set.sweep, now.Add(s.spread(pause)))
	}
}

// run does a check and takes its end.
func (s *Scanner) run(ctx context.Context, l look) {
	limited, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	err := l.check(limited, l.addr)
	s.mu.Lock()
	s.running--
	changed := ctx.Err() == nil && !l.search.gone && s.end(l, err, real.Now())
	s.mu.Unlock()
	s.nudge()
	if changed {
		s.o.Changed(l.search.key)
	}
}

// end takes the end of a check, and returns whether that changed a state. s.mu is held.
func (s *Scanner) end(l look, err error, now time.Time) bool {
	j := l.job
	if j == nil {
		l.search.waiting--
		defer s.endRound(l.search, now)
		if err != nil || l.search.hosts[l.addr] != nil {
			return false // silence is not remembered; what was reported meanwhile is newer
		}
		j = l.search.keep(l.addr)
		l.news = j.host.news
	}
	if j.host.news != l.news {
		return false // what was reported meanwhile is newer, and has planned the next check
	}
	if err != nil && j.host.State == Silent && now.Sub(j.host.Since) > s.o.Forget {
		delete(l.search.hosts, l.addr)
		return true
	}
	changed, pause := j.host.checked(err, now, s.pauses)
	s.plan(j, now, pause)
	return changed
}

// plan puts the next check of a host into the queue. s.mu is held.
func (s *Scanner) plan(j *job, now time.Time, pause time.Duration) {
	j.host.Next = now.Add(s.spread(pause))
	s.queue.put(j, j.host.Next)
}

// spread makes a pause up to a fifth shorter or longer. s.mu is held.
func (s *Scanner) spread(pause time.Duration) time.Duration {
	return time.Duration(float64(pause) * (0.8 + 0.4*s.o.Rand.Float64()))
}
