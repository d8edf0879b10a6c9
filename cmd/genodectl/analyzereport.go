package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/analysis"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// Verdicts as they are printed.
const (
	verdictYes  = "yes"
	verdictNo   = "no"
	verdictNone = "-"
)

// analysisOf is what tests say about a system. Times are nanoseconds.
type analysisOf struct {
	Name        string         `json:"name"`
	CPUs        int            `json:"cpus"`
	Utilization float64        `json:"utilization"`
	Density     float64        `json:"density"`
	Tests       []testVerdict  `json:"tests"`
	Tasks       []taskAnalysis `json:"tasks"` // by priority
}

type testVerdict struct {
	Name    string `json:"name"`
	Policy  string `json:"policy"`
	Exact   bool   `json:"exact"`
	Verdict string `json:"verdict"`
	Source  string `json:"source"`
}

type taskAnalysis struct {
	ID       int                 `json:"id"`
	Name     string              `json:"name"`
	WCET     sim.Time            `json:"wcet"`
	Period   sim.Time            `json:"period"`
	Deadline sim.Time            `json:"deadline"`
	Bounds   map[string]sim.Time `json:"bounds"` // of the response time, by test
}

func analyze(f *simfile.File, tests []analysis.Test) (*analysisOf, error) {
	set, indices, err := simfile.SetOf(f)
	if err != nil {
		return nil, err
	}
	a := &analysisOf{Name: f.Name, CPUs: len(f.System.Processors)}
	a.Utilization, _ = set.Utilization().Float64()
	a.Density, _ = set.Density().Float64()
	for at, i := range indices {
		t := &f.System.Tasks[i]
		a.Tasks = append(a.Tasks, taskAnalysis{ID: t.ID, Name: t.Name, WCET: t.WCET, Period: t.Period, Deadline: set[at].D, Bounds: map[string]sim.Time{}})
	}
	for _, test := range tests {
		v := test.Run(set, a.CPUs)
		said := testVerdict{test.Name, test.Policy, test.Exact, verdictNone, test.Source}
		switch {
		case v.Schedulable:
			said.Verdict = verdictYes
		case v.Applies:
			said.Verdict = verdictNo
		}
		a.Tests = append(a.Tests, said)
		for i, bound := range v.Bounds {
			if bound >= 0 && (v.Schedulable || test.Exact) {
				a.Tasks[i].Bounds[test.Name] = bound
			}
		}
	}
	return a, nil
}

func (o *analyzeOptions) print(out io.Writer, a *analysisOf) error {
	if o.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(a)
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "TEST\tFOR\tVERDICT\tKIND\tSOURCE")
	columns := []string{}
	for _, t := range a.Tests {
		kind := "sufficient"
		if t.Exact {
			kind = "exact"
		}
		fmt.Fprintln(table, strings.Join([]string{t.Name, t.Policy, t.Verdict, kind, t.Source}, "\t"))
		for i := range a.Tasks {
			if _, has := a.Tasks[i].Bounds[t.Name]; has {
				columns = append(columns, t.Name)
				break
			}
		}
	}
	fmt.Fprintln(table)
	fmt.Fprintln(table, strings.Join(append([]string{"TASK", "WCET", "PERIOD", "DEADLINE"}, columns...), "\t"))
	for i := range a.Tasks {
		fmt.Fprintln(table, a.Tasks[i].row(columns))
	}
	fmt.Fprintf(table, "\nutilization %.4f of %d, density %.4f; tasks by priority; times and bounds of response times in ms\n", a.Utilization, a.CPUs, a.Density)
	return table.Flush()
}

func (t *taskAnalysis) row(columns []string) string {
	ms := func(n sim.Time) string { return strings.TrimSuffix(simfile.FormatTime(n), "ms") }
	cells := []string{t.Name, ms(t.WCET), ms(t.Period), ms(t.Deadline)}
	for _, name := range columns {
		cell := verdictNone
		if bound, has := t.Bounds[name]; has {
			cell = ms(bound)
		}
		cells = append(cells, cell)
	}
	return strings.Join(cells, "\t")
}
