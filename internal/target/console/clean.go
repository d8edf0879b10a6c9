package console

import (
	"strings"
	"unicode/utf8"
)

// escape is where the cleaner is inside a terminal escape sequence.
type escape int

const (
	noEscape      escape = iota
	afterEscape          // ESC was read
	inControl            // CSI: ESC [ … final byte
	inString             // OSC, DCS, …: ESC ] … BEL or ESC \
	afterIntermed        // ESC ( and the like: one more byte
)

// cleaner turns raw bytes into lines: it cuts at line feeds and at max bytes, and drops carriage
// returns, terminal escapes and all other control characters but the tab.
type cleaner struct {
	max   int
	line  []byte
	state escape
	cut   bool // the line before this one was cut for its length
}

// feed takes a byte; complete is true when it ended a line.
func (c *cleaner) feed(b byte) (line string, complete bool) {
	if b == '\n' {
		return c.end()
	}
	if c.state != noEscape {
		c.state = c.state.next(b)
		return "", false
	}
	switch {
	case b == 0x1b:
		c.state = afterEscape
		return "", false
	case b < 0x20 && b != '\t', b == 0x7f:
		return "", false
	}
	if len(c.line) >= c.max {
		line = c.cutLine()
		c.line = append(c.line, b)
		return line, true
	}
	c.line = append(c.line, b)
	return "", false
}

// next is the state after byte b inside an escape sequence. Nothing but a line feed ends a string that
// lacks its end, so a stray ESC ] costs a line at most.
func (s escape) next(b byte) escape {
	switch s {
	case afterEscape:
		switch b {
		case '[':
			return inControl
		case ']', 'P', 'X', '^', '_':
			return inString
		case ' ', '#', '%', '(', ')', '*', '+':
			return afterIntermed
		}
		return noEscape
	case inControl:
		if b >= 0x40 && b <= 0x7e {
			return noEscape
		}
	case inString:
		switch b {
		case 0x07:
			return noEscape
		case 0x1b:
			return afterEscape
		}
	case afterIntermed:
		return noEscape
	}
	return s
}

// end ends the line at a line feed. A line feed right after a cut adds no empty line.
func (c *cleaner) end() (string, bool) {
	c.state = noEscape
	emptyRest := c.cut && len(c.line) == 0
	c.cut = false
	line := valid(c.line)
	c.line = c.line[:0]
	return line, !emptyRest
}

// cutLine ends a line that is too long, between two runes where that is possible.
func (c *cleaner) cutLine() string {
	at := len(c.line)
	for i := 1; i < utf8.UTFMax && i < at; i++ {
		if tail := c.line[at-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				at -= i
			}
			break
		}
	}
	line := valid(c.line[:at])
	c.line = append(c.line[:0], c.line[at:]...)
	c.cut = true
	return line
}

// pending is the unfinished line.
func (c *cleaner) pending() string { return valid(c.line) }

// flush ends an unfinished line; ok is false when there is none.
func (c *cleaner) flush() (string, bool) {
	if len(c.line) == 0 {
		c.state, c.cut = noEscape, false
		return "", false
	}
	return c.end()
}

// valid makes b valid UTF-8 and drops the control characters U+0080 to U+009F.
func valid(b []byte) string {
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	return strings.Map(func(r rune) rune {
		if r >= 0x80 && r <= 0x9f {
			return -1
		}
		return r
	}, s)
}
