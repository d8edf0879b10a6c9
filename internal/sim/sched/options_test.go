package sched_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/sched"
)

func TestOptionsOfSchedulersAreChecked(t *testing.T) {
	for _, c := range []struct {
		scheduler string
		options   map[string]string
		want      []string // in the error; none: it is fine
	}{
		{"PD2", map[string]string{"quantum": "50us"}, nil},
		{"PD2", map[string]string{"quantum": "50"}, []string{"quantum", `"50"`, "100us"}},
		{"LLF", map[string]string{"quantum": "-1ms"}, []string{"quantum", `"-1ms"`, "above 0"}},
		{"EKG", map[string]string{"group": "2"}, nil},
		{"EKG", map[string]string{"group": "two"}, []string{"group", `"two"`, "whole number"}},
		{"EPDF", map[string]string{"quanta": "1ms"}, []string{"quanta", "EPDF has no such option", "use quantum"}},
		{"EDF", map[string]string{"quantum": "1ms"}, []string{"quantum", "EDF has no such option", "remove it"}},
		{"no such", nil, []string{`"no such"`, "not known", "EDF"}},
	} {
		_, err := sched.NewWith(c.scheduler, c.options)
		if len(c.want) == 0 {
			if err != nil {
				t.Errorf("%s %v: %v", c.scheduler, c.options, err)
			}
			continue
		}
		if !errors.Is(err, sim.ErrInvalid) {
			t.Errorf("%s %v: %v, want %v", c.scheduler, c.options, err, sim.ErrInvalid)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s %v: %q does not say %q", c.scheduler, c.options, err, part)
			}
		}
	}
}

// TestOptionsHaveTheirDefaults: a scheduler made without options is the one made with what is said to be the defaults.
func TestOptionsHaveTheirDefaults(t *testing.T) {
	seen := 0
	for _, p := range sched.All() {
		defaults := map[string]string{}
		for _, o := range p.Options() {
			seen++
			defaults[o.Name] = o.Default
			if o.Summary == "" {
				t.Errorf("%s: option %s says nothing", p.Name, o.Name)
			}
		}
		if _, err := sched.NewWith(p.Name, defaults); err != nil {
			t.Errorf("%s: its own defaults: %v", p.Name, err)
		}
	}
	if seen < 6 {
		t.Errorf("%d options in all, want at least 6", seen)
	}
}
