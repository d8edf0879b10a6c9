package share

// backlog keeps the newest bytes of a stream. Bytes are named by their offset from the stream's beginning,
// so that any number of readers share it, each with a number for a place.
type backlog struct {
	ring []byte // grows up to max
	max  int    // bytes
	end  uint64 // offset behind the newest byte
}

// begin is the offset of the oldest byte that is kept.
func (b *backlog) begin() uint64 { return b.end - uint64(min(b.end, uint64(len(b.ring)))) }

// add takes bytes at the stream's end.
func (b *backlog) add(p []byte) {
	if skip := len(p) - b.max; skip > 0 {
		b.grow(b.max)
		b.end += uint64(skip)
		p = p[skip:]
	}
	b.grow(min(b.max, int(b.end-b.begin())+len(p)))
	for len(p) > 0 {
		n := copy(b.ring[b.end%uint64(len(b.ring)):], p)
		b.end += uint64(n)
		p = p[n:]
	}
}

// grow makes the ring at least n bytes long; what it holds stays at its offsets.
func (b *backlog) grow(n int) {
	if n <= len(b.ring) {
		return
	}
	held := b.from(b.begin(), len(b.ring))
	begin := b.begin()
	b.ring = make([]byte, min(b.max, max(n, 2*len(b.ring))))
	for i, c := range held {
		b.ring[(begin+uint64(i))%uint64(len(b.ring))] = c
	}
}

// from returns a copy of at most n bytes at an offset between begin and end.
func (b *backlog) from(offset uint64, n int) []byte {
	n = int(min(uint64(n), b.end-offset))
	out := make([]byte, 0, n)
	for len(out) < n {
		at := (offset + uint64(len(out))) % uint64(len(b.ring))
		out = append(out, b.ring[at:min(uint64(len(b.ring)), at+uint64(n-len(out)))]...)
	}
	return out
}
