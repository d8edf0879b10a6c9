package campaign

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/schedulability"
)

// OnFail says what becomes of a variant that analysis does not accept.
type OnFail string

// What becomes of it.
const (
	FailRecord OnFail = ""       // it is run
	FailSkip   OnFail = "Skip"   // it is recorded as skipped
	FailReject OnFail = "Reject" // the same, unless Plan.Rejection was asked before
)

// Analysis is what is said about variants before they run.
type Analysis struct {
	Check  *schedulability.Check
	OnFail OnFail
}

const (
	judgedMost = 1000 // variants that Rejection looks at
	namedMost  = 5    // variants that it names
)

// Rejection says which variants analysis does not accept, if that is to keep the campaign from being run; "" if it
// may be run. It looks at the first 1000 variants, at fewer if ctx ends.
func (p *Plan) Rejection(ctx context.Context) string {
	if p.Analysis == nil || p.Analysis.OnFail != FailReject {
		return ""
	}
	var named []string
	first, refused, looked := "", 0, uint64(0)
	for ; looked < min(p.Total, judgedMost) && ctx.Err() == nil; looked++ {
		v, known := p.verdict(looked)
		if !known || v.Schedulable {
			continue
		}
		if refused++; len(named) < namedMost {
			named = append(named, fmt.Sprint(looked))
		}
		if first == "" {
			first = v.Reason()
		}
	}
	if refused == 0 {
		return ""
	}
	return fmt.Sprintf("spec.analysis does not accept %d of the first %d variants, such as %s: %s; leave them out with spec.where, or set spec.analysis.onFail to Record or Skip",
		refused, looked, strings.Join(named, ", "), first)
}

// verdict is that of variant n; false if it is left out, or cannot be made, which its attempt says.
func (p *Plan) verdict(n uint64) (v schedulability.Verdict, known bool) {
	if c := p.constraint(); c != nil {
		if admits, err := c.Admits(n); err == nil && !admits {
			return v, false
		}
	}
	tasks, err := p.Space.At(n)
	if err != nil {
		return v, false
	}
	return p.Analysis.Check.Verdict(tasks), true
}

// judge says what analysis knows of the variant, and whether it is not to be run.
func (a *attempt) judge() (skip bool) {
	if a.plan.Analysis == nil {
		return false
	}
	v := a.plan.Analysis.Check.Verdict(a.tasks)
	a.verdict = &v
	a.noteVerdict()
	return !v.Schedulable && a.plan.Analysis.OnFail != FailRecord
}

func (a *attempt) noteVerdict() {
	text, err := json.Marshal(a.verdict)
	if err == nil { // numbers and texts only: cannot fail
		a.record.Analysis = string(text)
	}
}

// skipped makes the ending of an attempt at a variant that is left out.
func (a *attempt) skipped() ending {
	r := &a.record
	r.Reason, r.Message, r.Ended, r.Final = ReasonNotSchedulable, shorten(a.verdict.Reason()), a.now(), true
	return ending{record: r, notice: a.notice}
}

// hold looks whether the jobs that have run agree with the verdict.
func (a *attempt) hold() {
	if a.verdict == nil {
		return
	}
	tasks := make(map[string]*taskset.Task, len(a.tasks))
	for i := range a.tasks {
		tasks[a.tasks[i].Name] = &a.tasks[i]
	}
	for i := range a.record.Jobs {
		j := &a.record.Jobs[i]
		if wrong := a.verdict.Contradicts(tasks[j.Task], seen(j)); wrong != "" {
			a.verdict.Disagreement = wrong
			a.noteVerdict()
			return
		}
	}
}

// seen is a job as the verdict is held against it.
func seen(j *results.Job) *schedulability.Job {
	out := &schedulability.Job{Task: j.Task, Number: j.Number, Response: -1}
	if ms, known := j.Response(); known {
		out.Response = ms
	}
	out.AtPeriod = j.Outcome == session.EventExitPeriod
	out.Killed = out.AtPeriod || j.Outcome == session.EventExitCritical
	return out
}

// AnalysisTally counts verdicts.
type AnalysisTally struct {
	Accepted, Rejected, Disagreements int64
	Newest                            string // disagreement, with its variant
}

// add counts the verdict in a final record, if there is one.
func (t *AnalysisTally) add(r *results.Record) {
	if r.Analysis == "" {
		return
	}
	var v struct {
		Schedulable  bool   `json:"schedulable"`
		Disagreement string `json:"disagreement"`
	}
	if json.Unmarshal([]byte(r.Analysis), &v) != nil {
		return // not ours
	}
	if v.Schedulable {
		t.Accepted++
	} else {
		t.Rejected++
	}
	if v.Disagreement != "" {
		t.Disagreements++
		t.Newest = fmt.Sprintf("variant %d: %s", r.Variant, v.Disagreement)
	}
}
