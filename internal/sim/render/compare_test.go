package render_test

import (
	"bytes"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
)

// compared are rows with every verdict.
func compared() []render.Compared {
	const never = sim.Never
	return []render.Compared{
		{Variant: "1", Task: "control", Deadline: 10 * ms, Bound: 4 * ms, Simulated: 4 * ms, Measured: 3_950_000},
		{Variant: "1", Task: "camera", Deadline: 20 * ms, Bound: 13 * ms, Simulated: 13 * ms, Measured: 14 * ms},
		{Variant: "2", Task: "control", Deadline: 10 * ms, Bound: 5 * ms, Simulated: 6 * ms, Measured: 5 * ms},
		{Variant: "2", Task: "camera", Deadline: 20 * ms, Bound: never, Simulated: 37 * ms, Measured: 36 * ms},
		{Variant: "3", Task: "<b>", Deadline: 10 * ms, Bound: 4 * ms, Simulated: 4 * ms, Measured: never},
		{Variant: "3", Task: "logger", Deadline: never, Bound: never, Simulated: 1 * ms, Measured: 2 * ms},
	}
}

func TestCompareTable(t *testing.T) {
	var out bytes.Buffer
	if err := render.CompareTable(&out, compared()); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.txt", out.Bytes())
}

func TestComparePage(t *testing.T) {
	var out bytes.Buffer
	if err := render.ComparePage(&out, "Simulated & measured", compared()); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.html", out.Bytes())
	if bytes.Contains(out.Bytes(), []byte("<b>")) {
		t.Error("a name became an element")
	}
}

func TestVerdicts(t *testing.T) {
	for _, tc := range []struct {
		row  render.Compared
		want string
	}{
		{render.Compared{Deadline: 5, Bound: 3, Simulated: 3, Measured: 3}, "agree"},
		{render.Compared{Deadline: 5, Bound: 3, Simulated: 4, Measured: 3}, "simulated above bound"},
		{render.Compared{Deadline: 5, Bound: 3, Simulated: 3, Measured: 4}, "measured above bound"},
		{render.Compared{Deadline: 5, Bound: 3, Simulated: sim.Never, Measured: 4}, "measured above bound"},
		{render.Compared{Deadline: 5, Bound: sim.Never, Simulated: 9, Measured: 8}, "agree"},
		{render.Compared{Deadline: 5, Bound: 3, Simulated: 3, Measured: sim.Never}, "incomplete"},
		{render.Compared{Deadline: sim.Never, Bound: sim.Never, Simulated: 3, Measured: 3}, "agree"},
	} {
		if got := tc.row.Verdict(); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.row, got, tc.want)
		}
	}
}
