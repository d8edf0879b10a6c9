package console

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Levels of an Entry.
const (
	LevelInfo    = "info"
	LevelWarning = "warning"
	LevelError   = "error"
)

// MaxWrite is the longest piece of a text that is appended, in bytes: what one call of Genode's LOG session takes.
const MaxWrite = 232

// Entry is one line of the log.
type Entry struct {
	Seq  uint64    `json:"seq"`  // counts lines from 1 in the life of the agent
	Boot int       `json:"boot"` // counts starts of the guest from 1
	Time time.Time `json:"time"` // when the line was complete, on the agent's clock; milliseconds
	// Label of the component that wrote the line, as Genode's core prints it: [init -> name]; "" without one.
	Label string `json:"label,omitempty"`
	Level string `json:"level"` // a Level constant, by the beginning of the text
	Text  string `json:"text"`  // without the label
}

// Query says which lines are wanted.
type Query struct {
	// Previous asks for the lines from before the guest's newest start instead of those since.
	Previous bool
	// After is the number of the last line that is known already; what follows may be of several starts.
	After uint64
	// Lines is how many are wanted, the newest ones; negative: all.
	Lines int
}

// Page is the answer to a Query.
type Page struct {
	Entries []Entry // oldest first
	Missed  uint64  // lines between After and the first entry that are kept no longer
	Newest  uint64  // number of the newest line of all; 0: there was none
}

// Log returns lines of the log.
func (r *Ring) Log(q Query) Page {
	r.mu.Lock()
	defer r.mu.Unlock()
	page := Page{Newest: r.seq}
	lines, first := r.lines, r.seq-uint64(len(r.lines))+1
	if q.Previous {
		lines, first = r.previous, r.previousSeq
	} else if behind := len(lines) - r.current; behind > 0 && q.After == 0 {
		lines, first = lines[behind:], first+uint64(behind)
	}
	if q.After >= first {
		known := min(q.After-first+1, uint64(len(lines)))
		lines, first = lines[known:], first+known
	} else if q.After > 0 {
		page.Missed = first - 1 - q.After
	}
	if over := len(lines) - q.Lines; q.Lines >= 0 && over > 0 {
		lines, first = lines[over:], first+uint64(over)
	}
	page.Entries = make([]Entry, 0, len(lines))
	for i, l := range lines {
		e := parse(l.text)
		e.Seq, e.Boot, e.Time = first+uint64(i), int(l.boot), time.UnixMilli(l.at).UTC()
		page.Entries = append(page.Entries, e)
	}
	return page
}

// Changed returns a channel that is closed when the next line is complete.
func (r *Ring) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// Begin says that the guest is started anew: an unfinished line ends, and what was printed since the last
// start becomes the previous log.
func (r *Ring) Begin() {
	r.Flush()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current > 0 {
		r.previous = append([]line(nil), r.lines[len(r.lines)-r.current:]...)
		r.previousSeq = r.seq - uint64(r.current) + 1
	}
	r.boot++
	r.current = 0
}

// Append adds a text of somebody beside the guest, in pieces of at most MaxWrite bytes and one line each, all
// with the label.
func (r *Ring) Append(label, text string) {
	r.writing.Lock()
	defer r.writing.Unlock()
	for _, piece := range Split(label, text) {
		r.add(piece)
	}
}

// Split cuts a text into lines of at most MaxWrite bytes, and puts the label in front of each. Control
// characters are dropped, as they are from the guest's lines; a line feed at the end adds nothing.
func Split(label, text string) []string {
	clean := cleaner{max: MaxWrite}
	var out []string
	prefix := ""
	if label = strings.Map(printable, label); label != "" {
		prefix = "[" + label + "] "
	}
	for _, b := range []byte(text) {
		if line, complete := clean.feed(b); complete {
			out = append(out, prefix+line)
		}
	}
	if line, ok := clean.flush(); ok {
		out = append(out, prefix+line)
	}
	return out
}

// printable keeps what may stand in a label.
func printable(r rune) rune {
	if r < ' ' || r >= 0x7f && r <= 0x9f || r == '[' || r == ']' || r == utf8.RuneError {
		return -1
	}
	return r
}

// parse takes a line apart.
func parse(text string) Entry {
	e := Entry{Level: LevelInfo, Text: text}
	if inside, ok := strings.CutPrefix(text, "["); ok {
		label, rest, closed := strings.Cut(inside, "] ")
		if closed && label != "" && !strings.ContainsAny(label, "[]") && !isStamp(label) {
			e.Label, e.Text = label, rest
		}
	}
	switch {
	case strings.HasPrefix(e.Text, "Error: "):
		e.Level = LevelError
	case strings.HasPrefix(e.Text, "Warning: "):
		e.Level = LevelWarning
	}
	return e
}

// isStamp tells the time stamps of a Linux kernel from labels.
func isStamp(label string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(label), 64)
	return err == nil
}
