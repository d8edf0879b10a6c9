package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/render"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// view shows a simulation: it sees its jobs, and then its end.
type view interface {
	sim.Observer
	end(totals sim.Totals) error
}

// shower makes a view; cancel stops the simulation when nobody can see it any more.
type shower func(f *simfile.File, out io.Writer, cancel context.CancelCauseFunc) view

type rows string

const (
	rowsByTask rows = "task"
	rowsByCPU  rows = "cpu"
)

// showing is how the simulation is shown; it checks the flags for that.
func (o *simulateOptions) showing() (shower, error) {
	options := render.Options{}
	switch rows(o.by) {
	case rowsByTask:
		options.By = render.ByTask
	case rowsByCPU:
		options.By = render.ByProcessor
	default:
		return nil, fmt.Errorf("--by %q: use task or cpu", o.by)
	}
	for name, write := range map[string]func(io.Writer, *render.Run) error{
		"": render.Table, "table": render.Table, "chrome-trace": render.ChromeTrace,
		"svg":  func(w io.Writer, r *render.Run) error { return render.SVG(w, r, options) },
		"html": func(w io.Writer, r *render.Run) error { return render.HTML(w, r, options) },
	} {
		if name == o.output {
			return func(f *simfile.File, out io.Writer, _ context.CancelCauseFunc) view {
				window := render.Window(f.System.Window)
				options.Title, options.Window = f.Name, window
				return &picture{Recorder: render.NewRecorder(&f.System, window, 0), file: f, out: out, write: write}
			}, nil
		}
	}
	switch o.output {
	case "json", "jsonl":
		return newJobsView(o.output == "json"), nil
	}
	return nil, fmt.Errorf("-o %q: use table, json, jsonl, svg, html, chrome-trace or yaml", o.output)
}

// picture records a run and writes it at its end.
type picture struct {
	*render.Recorder
	file  *simfile.File
	out   io.Writer
	write func(io.Writer, *render.Run) error
}

func (p *picture) end(totals sim.Totals) error {
	return p.write(p.out, p.Recorder.Run(p.file.Scheduler, totals))
}

// jobsView writes jobs as JSON while they end: one in each line, or all of them within one object.
type jobsView struct {
	file    *simfile.File
	out     *bufio.Writer
	encoder *json.Encoder
	whole   bool
	first   bool
	cancel  context.CancelCauseFunc
}

// sums are the totals of a run as JSON.
type sums struct {
	Released    int64 `json:"released"`
	Ended       int64 `json:"ended"`
	Aborted     int64 `json:"aborted"`
	Missed      int64 `json:"missed"`
	Preemptions int64 `json:"preemptions"`
	Migrations  int64 `json:"migrations"`
	Decisions   int64 `json:"decisions"`
}

func newJobsView(whole bool) shower {
	return func(f *simfile.File, out io.Writer, cancel context.CancelCauseFunc) view {
		buffered := bufio.NewWriter(out)
		v := &jobsView{file: f, out: buffered, encoder: json.NewEncoder(buffered), whole: whole, first: true, cancel: cancel}
		if whole {
			head, _ := json.Marshal(f.Name) // a string always works
			scheduler, _ := json.Marshal(f.Scheduler)
			fmt.Fprintf(v.out, `{"name":%s,"scheduler":%s,"duration":%d,"jobs":[`+"\n", head, scheduler, f.System.Duration)
		}
		return v
	}
}

// Job implements sim.Observer.
func (v *jobsView) Job(r *sim.Record) {
	if v.whole && !v.first {
		_ = v.out.WriteByte(',') // errors stay, and Encode tells them
	}
	v.first = false
	if err := v.encoder.Encode(v.file.JobOf(r)); err != nil {
		v.cancel(err)
	}
}

func (v *jobsView) end(totals sim.Totals) error {
	if v.whole {
		fmt.Fprint(v.out, `],"totals":`)
		if err := v.encoder.Encode(sums{
			totals.Released, totals.Ended, totals.Aborted, totals.Missed, totals.Preemptions, totals.Migrations, totals.Decisions,
		}); err != nil {
			return err
		}
		fmt.Fprintln(v.out, "}")
	}
	return v.out.Flush()
}
