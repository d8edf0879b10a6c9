package render

import (
	"fmt"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
)

func TestTimesAreWrittenExactly(t *testing.T) {
	for _, tc := range []struct {
		in   sim.Time
		unit unit
		want string
	}{
		{0, milliseconds, "0 ms"},
		{100 * sim.Millisecond, milliseconds, "100 ms"},
		{1_000_001, milliseconds, "1.000001 ms"},
		{1_500_000, milliseconds, "1.5 ms"},
		{10_050_000, milliseconds, "10.05 ms"},
		{20, nanoseconds, "20 ns"},
		{2_000, microseconds, "2 µs"},
		{-2_500, microseconds, "-2.5 µs"},
		{sim.Never, seconds, "–"},
		{1 << 50, seconds, "1125899.906842624 s"},
	} {
		if got := tc.unit.with(tc.in); got != tc.want {
			t.Errorf("%d in %s: %q, want %q", tc.in, tc.unit.name, got, tc.want)
		}
	}
	if got := px(0) + " " + px(5) + " " + px(120) + " " + px(-350) + " " + px(10000); got != "0 0.05 1.2 -3.5 100" {
		t.Errorf("pixels: %s", got)
	}
}

func TestUnitsFitTheSpan(t *testing.T) {
	for span, want := range map[sim.Time]string{0: "ns", 9_999: "ns", 10_000: "µs", 9_999_999: "µs", 10_000_000: "ms", 9_999_999_999: "ms", 10_000_000_000: "s", 1 << 50: "s"} {
		if got := unitFor(span).name; got != want {
			t.Errorf("unit of %d ns: %s, want %s", span, got, want)
		}
	}
}

func TestTicksAreRoundAndFew(t *testing.T) {
	for _, tc := range []struct {
		window Window
		want   string
	}{
		{Window{0, 60}, "[0 5 10 15 20 25 30 35 40 45 50 55 60]"},
		{Window{3, 7}, "[3 4 5 6 7]"},
		{Window{0, 0}, "[0]"},
		{Window{101, 999}, "[200 300 400 500 600 700 800 900]"},
	} {
		if got := fmt.Sprint(tc.window.ticks(12)); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.window, got, tc.want)
		}
	}
	for span := sim.Time(1); span < 1<<50; span = span*3 + 1 {
		if n := len(Window{7, 7 + span}.ticks(12)); n < 2 && span > 10 || n > 14 {
			t.Errorf("%d ns have %d ticks", span, n)
		}
	}
}

func TestPlacesDoNotOverflow(t *testing.T) {
	a := axis{Window{0, 1 << 50}, 100, 8000}
	if got := a.at(1 << 49); got != 410_000 {
		t.Errorf("half of the window is at %d, want 410000", got)
	}
	if a.at(-1) != 10_000 || a.at(sim.Never) != 810_000 {
		t.Errorf("times outside: %d and %d, want the ends 10000 and 810000", a.at(-1), a.at(sim.Never))
	}
	if got := (axis{Window{5, 5}, 1, 10}).at(5); got != 100 {
		t.Errorf("an empty window: %d, want 100", got)
	}
}
