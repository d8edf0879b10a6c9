package variant

import (
	"fmt"
	"math"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset/generator"
)

const (
	maxGenerated = generator.MaxTasks
	// leastAcceptance is how probable it has to be that a draw is not discarded: 10,000 attempts then fail
	// with a probability of 10^-44.
	leastAcceptance = 0.01
)

// load draws utilizations and periods, and what follows from them. Its totals are an axis.
type load struct {
	draw      func(r generator.Source, count int, sum float64) ([]float64, error)
	totals    axis
	sums      []float64 // of each of the totals
	periods   generator.Periods
	implicit  bool
	attribute string // "": none
	set       axis   // its setter
	perMS     int64
}

// newLoad reads spec.generator.utilization for at least so many tasks. It is nil without one.
func newLoad(path string, u *v1alpha1.GeneratedUtilization, tasks int64) (*load, error) {
	if u == nil {
		return nil, nil
	}
	l := &load{implicit: u.Deadlines == v1alpha1.DeadlinesImplicit}
	if !l.implicit && u.Deadlines != v1alpha1.DeadlinesNone && u.Deadlines != "" {
		return nil, fmt.Errorf("%s.deadlines: %q is not known; use None or Implicit", path, u.Deadlines)
	}
	most, err := l.setMethod(path, u)
	if err != nil {
		return nil, err
	}
	if err := l.setTotals(path+".totals", u.Totals); err != nil {
		return nil, err
	}
	if err := l.checkTotals(path+".totals", u.Method, int(tasks), most); err != nil {
		return nil, err
	}
	var longest int64
	if l.periods, longest, err = newPeriods(path+".periods", &u.Periods); err != nil {
		return nil, err
	}
	return l, l.setAttribute(path, u, generator.ExecutionTime(longest, most))
}

func (l *load) setMethod(path string, u *v1alpha1.GeneratedUtilization) (most float64, err error) {
	most = 1
	if u.MaxPerTask != nil {
		if most = decimal(*u.MaxPerTask); !(most > 0 && most <= 1) {
			return 0, fmt.Errorf("%s.maxPerTask: %s is out of range; use more than 0 and at most 1, which is a processor", path, u.MaxPerTask)
		}
	}
	switch u.Method {
	case v1alpha1.MethodUUniFast:
		if most < 1 {
			return 0, fmt.Errorf("%s.maxPerTask: %s: UUniFast has no bound for a single task; use UUniFastDiscard or RandFixedSum", path, u.MaxPerTask)
		}
		l.draw = generator.UUniFast
	case v1alpha1.MethodUUniFastDiscard:
		l.draw = func(r generator.Source, n int, sum float64) ([]float64, error) {
			return generator.UUniFastDiscard(r, n, sum, most)
		}
	case v1alpha1.MethodRandFixedSum, "":
		l.draw = func(r generator.Source, n int, sum float64) ([]float64, error) {
			return generator.RandFixedSum(r, n, sum, most)
		}
	default:
		return 0, fmt.Errorf("%s.method: %q is not known; use UUniFast, UUniFastDiscard or RandFixedSum", path, u.Method)
	}
	return most, nil
}

// decimal is the number that is nearest to the quantity.
func decimal(q resource.Quantity) float64 {
	f, err := strconv.ParseFloat(q.AsDec().String(), 64)
	if err != nil { // beyond floating point
		return math.Inf(1)
	}
	return f
}

func (l *load) setTotals(path string, totals []resource.Quantity) error {
	if len(totals) == 0 {
		return fmt.Errorf("%s: there are none; give for example [\"0.5\"]", path)
	}
	l.totals = axis{path: path, task: noTask, attribute: attributeUtilization}
	for _, q := range totals {
		sum := decimal(q)
		l.sums = append(l.sums, sum)
		l.totals.values = append(l.totals.values, alternative{text: strconv.FormatFloat(sum, 'f', -1, 64)})
	}
	return nil
}

// checkTotals refuses what no draw, or hardly any, can fulfil with the smallest number of tasks.
func (l *load) checkTotals(path string, method v1alpha1.UtilizationMethod, tasks int, most float64) error {
	for i, sum := range l.sums {
		at, text := fmt.Sprintf("%s[%d]", path, i), l.totals.values[i].text
		switch room := float64(tasks) * most; {
		case !(sum > 0 && sum <= room):
			return fmt.Errorf("%s: %s is out of range; %d tasks of at most %g each take more than 0 and at most %g: use that, or more tasks", at, text, tasks, most, room)
		case method == v1alpha1.MethodUUniFast && sum > 1:
			return fmt.Errorf("%s: %s: UUniFast is for one processor, at most 1; use UUniFastDiscard or RandFixedSum", at, text)
		case method == v1alpha1.MethodUUniFastDiscard:
			if p := generator.Acceptance(tasks, sum, most); p < leastAcceptance {
				return fmt.Errorf("%s: %s: with %d tasks of at most %g each, UUniFastDiscard would keep one of %.3g draws; use RandFixedSum, or more tasks", at, text, tasks, most, 1/p)
			}
		}
	}
	return nil
}

// setAttribute makes the setter of what keeps a task busy, for execution times from 1 to longest.
func (l *load) setAttribute(path string, u *v1alpha1.GeneratedUtilization, longest int64) error {
	l.perMS = 1
	if u.LoadPerMillisecond != nil {
		l.perMS = *u.LoadPerMillisecond
	}
	if err := (number{min: 1, max: 1_000_000_000}).check(path+".loadPerMillisecond", l.perMS); err != nil {
		return err
	}
	if l.attribute = u.LoadAttribute; l.attribute == "" {
		return nil
	}
	path += ".loadAttribute"
	switch {
	case l.attribute == attributePkg:
		return fmt.Errorf("%s: pkg is a name; use a number such as config.arg1", path)
	case l.attribute == attributePeriod || l.attribute == attributeExecution || l.implicit && l.attribute == attributeDeadline:
		return fmt.Errorf("%s: %s is set already; use another one such as config.arg1", path, l.attribute)
	}
	if err := checkAttribute(path, l.attribute, nil); err != nil {
		return err
	}
	l.set = axis{path: path, attribute: l.attribute}
	last := longest * l.perMS // at most 2*10^15
	return l.set.setRange(path, &l.perMS, &last, l.perMS)
}
