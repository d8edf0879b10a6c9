package render

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// unit is a unit of time for people.
type unit struct {
	name   string
	length sim.Time // a power of ten
}

var (
	nanoseconds  = unit{"ns", 1}
	microseconds = unit{"µs", sim.Microsecond}
	milliseconds = unit{"ms", sim.Millisecond}
	seconds      = unit{"s", sim.Second}
)

// unitFor is the largest unit in which a span has two digits before the point.
func unitFor(span sim.Time) unit {
	for _, u := range []unit{seconds, milliseconds, microseconds} {
		if span >= 10*u.length {
			return u
		}
	}
	return nanoseconds
}

// neat writes a time in the largest unit in which it is a whole number.
func neat(t sim.Time) string {
	for _, u := range []unit{seconds, milliseconds, microseconds} {
		if t >= u.length && t%u.length == 0 {
			return u.with(t)
		}
	}
	return unitFor(t).with(t)
}

// format writes a time exactly, without the unit's name; Never is a dash.
func (u unit) format(t sim.Time) string {
	if t == sim.Never {
		return "–"
	}
	sign := ""
	if t < 0 {
		sign, t = "-", -t
	}
	whole := sign + strconv.FormatInt(t/u.length, 10)
	part := strings.TrimRight(strconv.FormatInt(t%u.length+u.length, 10)[1:], "0")
	if part == "" {
		return whole
	}
	return whole + "." + part
}

// with writes a time with its unit.
func (u unit) with(t sim.Time) string {
	if t == sim.Never {
		return "–"
	}
	return u.format(t) + " " + u.name
}

// ticks are round times within a window, at most about most of them: 1, 2 or 5 times a power of ten apart.
func (w Window) ticks(most int64) []sim.Time {
	span := max(w.To-w.From, 1)
	step := sim.Time(1)
	for factors := []sim.Time{2, 5, 10}; span/step > most; {
		decade := step
		for _, f := range factors {
			if step = decade * f; span/step <= most {
				break
			}
		}
	}
	var at []sim.Time
	for t := (w.From + step - 1) / step * step; t <= w.To; t += step {
		at = append(at, t)
	}
	return at
}

// axis maps times of a window to pixels.
type axis struct {
	Window
	left, width int64
}

// at is the place of a time in hundredths of a pixel. It is computed in whole numbers, so that every machine
// draws the same picture.
func (a axis) at(t sim.Time) int64 {
	t = min(max(t, a.From), a.To)
	high, low := bits.Mul64(uint64(t-a.From), uint64(a.width*100))
	if a.To == a.From {
		return a.left * 100
	}
	place, _ := bits.Div64(high, low, uint64(a.To-a.From))
	return a.left*100 + int64(place)
}

// px writes hundredths of a pixel.
func px(h int64) string {
	return unit{"", 100}.format(h)
}
