package console

import (
	"io"
	"regexp"
	"sync"

	"k8s.io/utils/clock"
)

// Defaults of Options.
const (
	DefaultMaxBytes = 256 << 10
	DefaultMaxLine  = 4 << 10
)

// lineOverhead is what a kept line costs beside its text, so that a flood of empty lines is bounded too.
const lineOverhead = 32

// matchBuffer is how many matching lines a slow reader of Match may be behind.
const matchBuffer = 16

// Options of a Ring; the zero value is usable.
type Options struct {
	// MaxBytes bounds what the Ring keeps, in bytes; 32 are counted for each line beside its text. The
	// previous log (see Begin) comes on top, with the same bound. 0 means DefaultMaxBytes.
	MaxBytes int
	// MaxLine bounds a line, in bytes; what is longer is cut into several lines. 0 means DefaultMaxLine.
	MaxLine int
	// Tee gets each complete line, with a line feed, in one Write. Its errors are ignored: a console
	// goes on when its log does not. While it blocks, Ring.Write blocks, but Lines does not.
	Tee io.Writer
	// Clock stamps lines. Default: the real clock.
	Clock clock.PassiveClock
}

// line is what is kept of a line.
type line struct {
	text string
	at   int64 // milliseconds since 1970
	boot int32
}

// Ring is an io.Writer that is fed with the raw bytes of a serial line and keeps the newest lines. Its
// methods may be called from any goroutine.
type Ring struct {
	opts Options

	writing sync.Mutex // held through Write and Flush: keeps the tee in order
	clean   cleaner    // guarded by writing

	mu       sync.Mutex // guards what follows; never held while somebody else's code runs
	lines    []line
	size     int
	partial  string
	matchers map[*matcher]struct{}
	seq      uint64        // of the newest line
	boot     int32         // see Begin
	current  int           // of the lines, how many came since the last Begin
	changed  chan struct{} // closed and made anew with each line

	previous    []line // see Begin
	previousSeq uint64 // of the first of them
}

type matcher struct {
	re    *regexp.Regexp
	lines chan string
}

// New returns an empty Ring.
func New(opts Options) *Ring {
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	if opts.MaxLine <= 0 {
		opts.MaxLine = DefaultMaxLine
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	return &Ring{opts: opts, clean: cleaner{max: opts.MaxLine}, matchers: map[*matcher]struct{}{}, changed: make(chan struct{})}
}

// Write takes raw serial bytes. It never fails.
func (r *Ring) Write(p []byte) (int, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	for _, b := range p {
		if line, complete := r.clean.feed(b); complete {
			r.add(line)
		}
	}
	r.setPartial(r.clean.pending())
	return len(p), nil
}

// Flush ends an unfinished line as if a line feed had come; call it when the guest is gone.
func (r *Ring) Flush() {
	r.writing.Lock()
	defer r.writing.Unlock()
	if line, ok := r.clean.flush(); ok {
		r.add(line)
	}
	r.setPartial("")
}

// Lines returns the newest n lines, oldest first; the last one may be unfinished. n < 0 means all.
func (r *Ring) Lines(n int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]string, 0, len(r.lines)+1)
	for _, l := range r.lines {
		all = append(all, l.text)
	}
	if r.partial != "" {
		all = append(all, r.partial)
	}
	if n >= 0 && len(all) > n {
		all = all[len(all)-n:]
	}
	return all
}

// Match returns a channel of the complete lines from now on that match re. When the reader is too slow
// the newest of them are dropped. stop ends it and closes the channel; it must be called once done.
func (r *Ring) Match(re *regexp.Regexp) (lines <-chan string, stop func()) {
	m := &matcher{re: re, lines: make(chan string, matchBuffer)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.matchers[m] = struct{}{}
	return m.lines, sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.matchers, m)
		close(m.lines)
	})
}

// add keeps a complete line and hands it on.
func (r *Ring) add(line string) {
	r.keep(line)
	if r.opts.Tee != nil {
		_, _ = io.WriteString(r.opts.Tee, line+"\n") // see Options.Tee
	}
}

func (r *Ring) keep(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.partial = ""
	r.lines = append(r.lines, line{text, r.opts.Clock.Now().UnixMilli(), r.boot})
	r.size += len(text) + lineOverhead
	r.seq++
	drop := 0
	for r.size > r.opts.MaxBytes && drop < len(r.lines) {
		r.size -= len(r.lines[drop].text) + lineOverhead
		r.lines[drop].text = "" // lets the text go although the array stays
		drop++
	}
	r.lines = r.lines[drop:]
	r.current = min(r.current+1, len(r.lines))
	close(r.changed)
	r.changed = make(chan struct{})
	for m := range r.matchers {
		if m.re.MatchString(text) {
			select {
			case m.lines <- text:
			default:
			}
		}
	}
}

func (r *Ring) setPartial(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.partial = s
}
