package variant_test

import (
	"strings"
	"testing"
)

func TestPkgsAreThoseThatSomeVariantHas(t *testing.T) {
	cases := map[string]struct{ spec, want string }{
		"plain tasks":       {`tasks: [{name: a, pkg: pi}, {name: b, pkg: hey}, {name: c, pkg: pi}]`, "hey pi"},
		"a sweep hides its": {`{tasks: [{name: a, pkg: idle}], sweeps: [{task: a, attribute: pkg, values: [pi, hey]}]}`, "hey pi"},
		"a draw, too":       {`{tasks: [{name: a, pkg: idle}], draws: [{task: a, attribute: pkg, choice: [linpack]}]}`, "linpack"},
		"blocks":            {`blocks: [{alternatives: [{use: hey.HelloWorld}, {use: pi.Value, argument: 3}]}]`, "hey pi"},
		"a generator":       {`generator: {tasks: 2, templates: [{set: {pkg: pi}}, {set: {pkg: hey}, draws: [{attribute: pkg, choice: [idle, tumatmul]}]}]}`, "idle pi tumatmul"},
	}
	for name, tc := range cases {
		if got := strings.Join(buildText(t, tc.spec).Pkgs(), " "); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
