package refguest

// logLocked appends events with the present stamp. With push, everything logged goes to the client.
func (l *loader) logLocked(push bool, events ...event) {
	stamp := l.stampLocked()
	for _, e := range events {
		e.stamp = stamp
		l.events = append(l.events, e)
	}
	if over := len(l.events) - maxEvents; over > 0 {
		l.opts.Log.Info("Dropping the oldest events, the client does not read", "count", over)
		l.events = append(l.events[:0], l.events[over:]...)
	}
	l.due = l.due || push
	l.flushLocked()
}

// flushLocked pushes when a push is due. Without a client the events are lost, as in the original;
// with a client that does not read they wait until there is room.
func (l *loader) flushLocked() {
	if !l.due || len(l.events) == 0 {
		return
	}
	if l.out == nil {
		l.opts.Log.V(flow).Info("Dropping events, no client is connected", "count", len(l.events))
	} else if !l.out.offer(func() []byte { return frame(profile(l.events)) }) {
		return
	}
	l.events, l.due = l.events[:0], false
}

// attach makes out the place where frames go; nil for none.
func (l *loader) attach(out *outbox) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = out
}

// drained is called by the connection's writer whenever there is room again.
func (l *loader) drained() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flushLocked()
}

// pull answers GET_PROFILE: what is logged, or nothing at all.
func (l *loader) pull() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = len(l.events) > 0
	l.flushLocked()
}
