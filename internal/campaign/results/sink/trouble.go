package sink

import (
	"sync"
	"time"
)

// trouble is what went wrong with a sink since it was logged.
type trouble struct {
	mu     sync.Mutex
	lost   int
	newest error
	logged time.Time
}

func (t *trouble) add(lost int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost += lost
	t.newest = err
}

// take returns what is to be logged now, if there is anything and the last time is long enough ago, or never.
func (t *trouble) take(now time.Time, last bool) (lost int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newest == nil || !last && !t.logged.IsZero() && now.Sub(t.logged) < reportPeriod {
		return 0, nil
	}
	lost, err = t.lost, t.newest
	t.lost, t.newest, t.logged = 0, nil, now
	return lost, err
}

// report logs what went wrong with a sink. It is a message and no error: campaigns are not concerned.
func (f *Fan) report(l *lane, last bool) {
	lost, err := l.trouble.take(f.clock.Now(), last)
	if err != nil {
		f.log.Info("Sink failed; results are safe in the store", "sink", l.name, "noticesLost", lost, "reason", err.Error())
	}
}
