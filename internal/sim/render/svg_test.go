package render_test

import (
	"bytes"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
)

func svg(t *testing.T, r *render.Run, o render.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := render.SVG(&out, r, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestF44GanttPictures pins the bytes of whole pictures; look at them in a browser after each change.
func TestF44GanttPictures(t *testing.T) {
	for name, tc := range map[string]struct {
		system    *sim.System
		scheduler string
		options   render.Options
	}{
		"overload-tasks.svg":     {overload(), "RM", render.Options{Title: "Overload"}},
		"overload-processor.svg": {overload(), "RM", render.Options{Title: "Overload", By: render.ByProcessor}},
		"two-tasks.svg":          {several(), "EDF", render.Options{}},
		"two-processors.svg":     {several(), "EDF", render.Options{By: render.ByProcessor}},
		"two-window.svg":         {several(), "EDF", render.Options{Window: render.Window{From: 11 * ms, To: 25 * ms}}},
		"two-cut.svg":            {several(), "EDF", render.Options{Limit: 30, MostRows: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, svg(t, record(t, tc.system, tc.scheduler, render.Window{}, 0), tc.options))
		})
	}
}
