package render

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Table writes a row for each task and each processor. Times are milliseconds.
func Table(w io.Writer, r *Run) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, rows := range [][][]string{taskRows(r), processorRows(r)} {
		if len(rows) == 0 {
			continue
		}
		for _, cells := range rows {
			fmt.Fprintln(table, strings.Join(cells, "\t"))
		}
		fmt.Fprintln(table)
	}
	fmt.Fprintln(table, r.headline()+"; times in ms")
	return table.Flush()
}

// Jobs writes a row for each job that was kept, by task. Times are milliseconds.
func Jobs(w io.Writer, r *Run) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(jobHead, "\t"))
	for i := range r.Jobs {
		fmt.Fprintln(table, strings.Join(r.jobRow(&r.Jobs[i]), "\t"))
	}
	if note := r.droppedNote(); note != "" {
		fmt.Fprintln(table, note)
	}
	return table.Flush()
}

// taskRows begin with a row of titles.
func taskRows(r *Run) [][]string {
	rows := [][]string{{"TASK", "JOBS", "ENDED", "MISSED", "ABORTED", "UNFINISHED", "RESPONSE MIN", "MEAN", "MAX", "PREEMPTIONS", "MIGRATIONS"}}
	for i, s := range r.Tasks {
		response := [3]string{"–", "–", "–"}
		if s.Ended > 0 {
			response = [3]string{milliseconds.format(s.Least), milliseconds.format(s.Mean()), milliseconds.format(s.Most)}
		}
		row := append([]string{taskName(&r.System.Tasks[i])}, counts(s.Released, s.Ended, s.Missed, s.Aborted, s.Unfinished)...)
		rows = append(rows, append(append(row, response[:]...), counts(s.Preemptions, s.Migrations)...))
	}
	return rows
}

func counts(numbers ...int64) []string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = fmt.Sprint(n)
	}
	return out
}

// processorRows are about the window of the system. They are none when the totals of the run are not known.
func processorRows(r *Run) [][]string {
	whole := r.System.Span()
	if len(r.Totals.Processors) != len(r.System.Processors) || whole == 0 {
		return nil
	}
	rows := [][]string{{"PROCESSOR", "LOAD", "OVERHEAD", "IDLE"}}
	for i, l := range r.Totals.Processors {
		rows = append(rows, []string{processorName(r.System, i), percent(l.Busy, whole), percent(l.Overhead, whole), percent(l.Idle, whole)})
	}
	return rows
}

// percent has one digit after the point and is rounded.
func percent(part, whole sim.Time) string {
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

var jobHead = []string{"TASK", "JOB", "RELEASE", "DEADLINE", "BEGIN", "END", "RESPONSE", "EXECUTED", "PREEMPTIONS", "MIGRATIONS", "OUTCOME"}

func (r *Run) jobRow(j *sim.Record) []string {
	row := []string{taskName(j.Task), fmt.Sprint(j.Number)}
	for _, t := range []sim.Time{j.Released, j.Deadline, j.Begun, j.Ended, j.Response(), j.Executed} {
		row = append(row, milliseconds.format(t))
	}
	return append(row, fmt.Sprint(j.Preemptions), fmt.Sprint(j.Migrations), outcome(j))
}

// outcome of a job in a word.
func outcome(j *sim.Record) string {
	switch {
	case j.Aborted:
		return "aborted"
	case j.Ended == sim.Never && j.Missed:
		return "unfinished, missed"
	case j.Ended == sim.Never:
		return "unfinished"
	case j.Missed:
		return "late"
	}
	return "met"
}

// headline sums up a run in a line.
func (r *Run) headline() string {
	all := sum(r.Tasks)
	parts := []string{}
	if r.Scheduler != "" {
		parts = append(parts, r.Scheduler)
	}
	parts = append(parts, several(int64(len(r.System.Processors)), "processor"), several(int64(len(r.System.Tasks)), "task"),
		neat(r.System.Duration), several(all.Released, "job"), several(all.Missed, "miss"), several(all.Aborted, "abort"))
	return printable(strings.Join(parts, " · "))
}

// droppedNote says up to when the jobs are complete, if some were dropped.
func (r *Run) droppedNote() string {
	if r.Dropped == 0 {
		return ""
	}
	return fmt.Sprintf("Complete up to %s; %s released later were not kept.", neat(r.Window.To), several(r.Dropped, "job"))
}

func several(n int64, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func taskName(t *sim.Task) string {
	if t.Name == "" {
		return fmt.Sprintf("task %d", t.ID)
	}
	return printable(t.Name)
}

func processorName(s *sim.System, i int) string {
	if s.Processors[i].Name == "" {
		return fmt.Sprintf("CPU %d", i+1)
	}
	return printable(s.Processors[i].Name)
}

// printable replaces what would break a line or a column, or not be seen.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '\uFFFD'
		}
		return c
	}, s)
}
