package export

import (
	"fmt"
	"io"
	"strings"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// text is the format Text, to the letter what taskgen printed when a task-set had finished: a line "task: ID" for
// each task and below it a line "START END" for each of its jobs, in milliseconds of the target; None is unknown.
type text struct{ w io.Writer }

func (t *text) head() error { return nil }
func (t *text) tail() error { return nil }

func (t *text) entry(e Entry) error {
	if !e.Record.Succeeded {
		return nil
	}
	var out strings.Builder
	for _, task := range e.Tasks {
		fmt.Fprintf(&out, "task: %d\n", task.ID)
		for _, j := range e.Record.Jobs {
			if j.Task == task.Name {
				fmt.Fprintf(&out, "%s %s\n", stamp(j.Start, "None"), stamp(j.End, "None"))
			}
		}
	}
	return write(t.w, out.String())
}

// table is the format Table. Its columns have fixed widths, since what comes is not known in advance.
type table struct{ w io.Writer }

const (
	tableHead = "%-10s %-7s %-14s %-24s %9s %5s %7s %7s %7s  %s\n"
	tableLine = "%-10d %-7d %-14s %-24s %9.3f %5d %7s %7s %7s  %s\n"
)

func (t *table) tail() error { return nil }

func (t *table) head() error {
	return write(t.w, fmt.Sprintf(tableHead, "VARIANT", "ATTEMPT", "RESULT", "TARGET", "SECONDS", "JOBS", "MIN ms", "MEAN ms", "MAX ms", "VALUES"))
}

func (t *table) entry(e Entry) error {
	r := e.Record
	low, mean, high := responses(r.Jobs)
	seconds := r.Ended.Sub(r.Started).Seconds()
	return write(t.w, fmt.Sprintf(tableLine, r.Variant, r.Attempt, r.Reason, r.Target, max(seconds, 0), len(r.Jobs), low, mean, high, valuesText(r.Values)))
}

// responses sums up the response times of jobs; "-" where none is known.
func responses(jobs []results.Job) (low, mean, high string) {
	var n, sum, least, most int64
	for _, j := range jobs {
		ms, known := j.Response()
		if !known {
			continue
		}
		if n == 0 || ms < least {
			least = ms
		}
		n, sum, most = n+1, sum+ms, max(most, ms)
	}
	if n == 0 {
		return "-", "-", "-"
	}
	return fmt.Sprint(least), fmt.Sprintf("%.1f", float64(sum)/float64(n)), fmt.Sprint(most)
}

// valuesText is {"a.priority":"3"} as a.priority=3.
func valuesText(values string) string {
	pairs, err := pairsOf(values)
	if err != nil {
		return values
	}
	var out []string
	for _, p := range pairs {
		out = append(out, fmt.Sprintf("%s=%v", p.name, p.value))
	}
	return strings.Join(out, " ")
}
