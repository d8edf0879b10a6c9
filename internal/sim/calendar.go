package sim

// event is an entry of the calendar.
type event struct {
	at     Time
	ticket uint64 // order within an instant
	serial uint64 // of the job or processor that it is about; void when that has moved on
	job    *Job
	index  int32 // of a task or a processor
	kind   eventKind
}

type eventKind uint8

const (
	eventRelease  eventKind = iota
	eventDeadline           // of a job
	eventKill               // its critical time
	eventDone               // a processor has done the work of its job
	eventHeld               // a processor has done an overhead
	eventTimer              // of the scheduler
	eventTick               // of the timer that drives it
	eventSeen               // a tick has noticed the release of a job
	eventWake               // a processor has messages
	eventActivate           // of a job
	eventBegin              // a processor executes its job
)

// calendar is a binary heap of events. What is put into the present instant is in a list beside it, or, when
// nothing else happens in this instant, in a place of its own: most events of a simulation are of that kind.
type calendar struct {
	heap    []event
	present []event // of now, in order of tickets
	over    int     // of them
	single  event
	alone   bool // single is to come, before everything else
	ticket  uint64
	first   event // that was taken
}

func before(a, b *event) bool {
	return a.at < b.at || a.at == b.at && a.ticket < b.ticket
}

// putNow adds an event of the present instant behind all others of it.
func (c *calendar) putNow(at Time, kind eventKind, index int32, serial uint64, job *Job) {
	c.ticket++
	if c.quiet(at) {
		c.single.at, c.single.ticket, c.single.kind, c.single.index, c.single.serial = at, c.ticket, kind, index, serial
		if c.single.job != job {
			c.single.job = job
		}
		c.alone = true
		return
	}
	if c.alone {
		c.alone = false
		c.present = append(c.present, c.single)
	}
	c.present = append(c.present, event{at: at, ticket: c.ticket, serial: serial, job: job, index: index, kind: kind})
}

// quiet reports whether nothing else is to happen now.
func (c *calendar) quiet(now Time) bool {
	return !c.alone && c.over == len(c.present) && (len(c.heap) == 0 || c.heap[0].at > now)
}

// put adds an event behind all others of its instant.
func (c *calendar) put(e event) {
	c.ticket++
	e.ticket = c.ticket
	c.heap = append(c.heap, e)
	i := len(c.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !before(&e, &c.heap[up]) {
			break
		}
		c.heap[i] = c.heap[up]
		i = up
	}
	c.heap[i] = e
}

// take removes the first event; nil when there is none at or before the end. The event is valid until the
// next call.
func (c *calendar) take(end Time) *event {
	if c.alone {
		c.alone = false
		return &c.single
	}
	if c.over < len(c.present) {
		e := &c.present[c.over]
		if len(c.heap) == 0 || !before(&c.heap[0], e) {
			c.over++
			return e
		}
	} else if c.over > 0 {
		c.present, c.over = c.present[:0], 0
	}
	if len(c.heap) == 0 || c.heap[0].at > end {
		return nil
	}
	c.first = c.heap[0]
	last := len(c.heap) - 1
	c.sink(c.heap[last], last)
	c.heap = c.heap[:last]
	return &c.first
}

// sink puts e at the root of the first n events and lets it sink to its place.
func (c *calendar) sink(e event, n int) {
	i := 0
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if right := child + 1; right < n && before(&c.heap[right], &c.heap[child]) {
			child = right
		}
		if !before(&c.heap[child], &e) {
			break
		}
		c.heap[i] = c.heap[child]
		i = child
	}
	if n > 0 {
		c.heap[i] = e
	}
}
