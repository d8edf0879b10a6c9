package supervisor

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

var all = rungs[:]

func TestLadder(t *testing.T) {
	silent := func(l ladder) ladder {
		l.verdict, l.snapshotUsable = agentapi.VerdictSilentToPing, true
		if l.allowed == nil {
			l.allowed = all
		}
		return l
	}
	cases := map[string]struct {
		ladder ladder
		want   Step // "": none
	}{
		"a silent guest with a proven snapshot is restored": {silent(ladder{}), StepRestore},
		"without a proven snapshot it is reset":             {ladder{allowed: all, verdict: agentapi.VerdictSilentToPing}, StepReset},
		"a restore that did not help is followed by a reset": {
			silent(ladder{tried: []Step{StepRestore}}), StepReset},
		"a reset that did not help is followed by a relaunch": {
			silent(ladder{tried: []Step{StepRestore, StepReset}}), StepRelaunch},
		"the ladder is never climbed down": {silent(ladder{tried: []Step{StepReset}}), StepRelaunch},
		"after everything nothing is left": {silent(ladder{tried: all}), ""},
		"a QEMU that does not answer is relaunched at once": {
			silent(ladder{mute: true}), StepRelaunch},
		"a QEMU that has ended is relaunched at once": {silent(ladder{gone: true}), StepRelaunch},
		"steps that are not allowed are skipped":      {silent(ladder{allowed: []Step{StepRelaunch}}), StepRelaunch},
		"with no step allowed nothing is done":        {silent(ladder{allowed: []Step{}}), ""},
		"a reboot loop is restored":                   {ladder{allowed: all, verdict: agentapi.VerdictRebootLoop, snapshotUsable: true}, StepRestore},
		"a reboot loop is never reset":                {ladder{allowed: all, verdict: agentapi.VerdictRebootLoop}, StepRelaunch},
		"three relapses after a restore lead to a reset": {
			silent(ladder{relapses: tally{3, 0, 0}}), StepReset},
		"two relapses after a restore are forgiven":  {silent(ladder{relapses: tally{2, 0, 0}}), StepRestore},
		"three relapses after every step are enough": {silent(ladder{relapses: tally{3, 3, 3}}), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := tc.ladder.next()
			if got != tc.want || ok != (tc.want != "") {
				t.Errorf("next = %q, %t; want %q", got, ok, tc.want)
			}
		})
	}
}

func TestALadderEndsAfterAtMostThreeSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := ladder{
			allowed:        rapid.SliceOfN(rapid.SampledFrom(all), 0, 3).Draw(t, "allowed"),
			snapshotUsable: rapid.Bool().Draw(t, "snapshot"),
			verdict:        rapid.SampledFrom([]string{agentapi.VerdictSilentToPing, agentapi.VerdictRebootLoop}).Draw(t, "verdict"),
		}
		for range rungs {
			step, ok := l.next()
			if !ok {
				return
			}
			l.tried = append(l.tried, step)
			l.mute = rapid.Bool().Draw(t, "mute")
		}
		if step, ok := l.next(); ok {
			t.Fatalf("a fourth step: %s", step)
		}
	})
}

func TestParseSteps(t *testing.T) {
	if got, err := ParseSteps([]string{"Restore", " Relaunch", ""}); err != nil || len(got) != 2 {
		t.Errorf("ParseSteps = %v, %v", got, err)
	}
	if _, err := ParseSteps([]string{"Replace"}); err == nil {
		t.Error("Replace is not a step inside the pod, but was accepted")
	}
}
