package sched

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Option is something of a scheduler that can be chosen.
type Option struct {
	Name    string
	Default string
	Summary string
}

// Options are the choices that a scheduler is made with. It asks for each by its name, and so tells what there is
// to choose.
type Options struct {
	values   map[string]string
	known    []Option
	problems []error
}

// Duration is a span of time above 0, such as "100us".
func (o *Options) Duration(name string, standard sim.Time, summary string) sim.Time {
	text, given := o.ask(name, time.Duration(standard).String(), summary)
	if !given {
		return standard
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		o.refuse(name, text, "use a time above 0 with its unit, such as 100us or 1ms")
		return standard
	}
	return sim.Time(d)
}

// Count is a whole number from 0 on.
func (o *Options) Count(name string, standard int, summary string) int {
	text, given := o.ask(name, strconv.Itoa(standard), summary)
	if !given {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		o.refuse(name, text, "use a whole number from 0 on")
		return standard
	}
	return n
}

func (o *Options) ask(name, standard, summary string) (text string, given bool) {
	o.known = append(o.known, Option{Name: name, Default: standard, Summary: summary})
	text, given = o.values[name]
	return text, given
}

func (o *Options) refuse(name, text, remedy string) {
	o.problems = append(o.problems, fmt.Errorf("%w: scheduler option %s: %q: %s", sim.ErrInvalid, name, text, remedy))
}

// check refuses what is malformed, and what nobody has asked for.
func (o *Options) check(scheduler string) []error {
	problems := o.problems
	var names []string
	for _, k := range o.known {
		names = append(names, k.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(o.values)) {
		if slices.Contains(names, name) {
			continue
		}
		remedy := "it has none; remove it"
		if len(names) > 0 {
			remedy = "use " + strings.Join(names, ", ")
		}
		problems = append(problems, fmt.Errorf("%w: scheduler option %s: %q: %s has no such option; %s", sim.ErrInvalid, name, o.values[name], scheduler, remedy))
	}
	return problems
}
