package simfile

import (
	"encoding/json"
	"math/big"
	"strings"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// units of times; those that end like another one come first.
var units = []struct {
	name string
	unit sim.Time
}{
	{"ns", 1}, {"us", sim.Microsecond}, {"µs", sim.Microsecond}, {"ms", sim.Millisecond}, {"s", sim.Second},
}

// time is a time with its unit, such as "8.2ms", or a number of milliseconds. It is rounded to nanoseconds; 0 if it
// is absent.
func (n node) time() sim.Time {
	if n.absent() {
		return 0
	}
	if text, is := n.value.(json.Number); is {
		return n.bounded(scaled(text, sim.Millisecond))
	}
	text, is := n.value.(string)
	if !is {
		n.refuse(`must be a time, such as "8.2ms", or a number of milliseconds`)
		return 0
	}
	t, ok := ParseTime(text)
	if !ok {
		n.refuse(`use a number with ns, us, ms or s, such as "8.2ms"`)
		return 0
	}
	return n.bounded(t)
}

// cost is the time of an overhead.
func (n node) cost() sim.Time { return n.atMost(n.time(), costliest) }

// ParseTime reads a time with its unit, such as "8.2ms"; it is rounded to nanoseconds.
func ParseTime(text string) (t sim.Time, ok bool) {
	for _, u := range units {
		number, has := strings.CutSuffix(text, u.name)
		if number = strings.TrimSpace(number); has && isNumber(number) {
			t = scaled(json.Number(number), u.unit)
			return t, t >= 0
		}
	}
	return 0, false
}

// isNumber reports whether a text is a decimal number, and no fraction or hexadecimal one.
func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789.eE+-") == ""
}

// FormatTime writes a time in milliseconds, exactly, as ParseTime reads it.
func FormatTime(t sim.Time) string {
	const digits = 6 // of a millisecond, down to the nanosecond
	text := big.NewRat(t, sim.Millisecond).FloatString(digits)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + "ms"
}
