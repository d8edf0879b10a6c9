package conditions_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/internal/conditions"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestSetKeepsTheTransitionTimeWhileTheStatusStays(t *testing.T) {
	var list []metav1.Condition
	conditions.Writer{List: &list, Generation: 1, Now: now}.Set("Alive", metav1.ConditionTrue, "Answers", "all %s", "well")
	conditions.Writer{List: &list, Generation: 2, Now: now.Add(time.Hour)}.Set("Alive", metav1.ConditionTrue, "Answers", "still well")
	want := []metav1.Condition{{
		Type: "Alive", Status: metav1.ConditionTrue, Reason: "Answers", Message: "still well",
		ObservedGeneration: 2, LastTransitionTime: metav1.NewTime(now),
	}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
}

func TestSummary(t *testing.T) {
	summary := conditions.Summary{Target: "Ready", From: []string{"A", "B"}, Negative: []string{"Broken"}}
	cases := map[string]struct {
		set        map[string]metav1.ConditionStatus
		want       metav1.ConditionStatus
		wantReason string
	}{
		"all true is ready":                        {set: map[string]metav1.ConditionStatus{"A": "True", "B": "True"}, want: "True", wantReason: "Ready"},
		"the first one that is not true explains":  {set: map[string]metav1.ConditionStatus{"A": "False", "B": "False"}, want: "False", wantReason: "BecauseA"},
		"a missing one has not been reported":      {set: map[string]metav1.ConditionStatus{"A": "True"}, want: "Unknown", wantReason: "NotYetReported"},
		"an unknown one makes the summary unknown": {set: map[string]metav1.ConditionStatus{"A": "True", "B": "Unknown"}, want: "Unknown", wantReason: "BecauseB"},
		"an abnormal one beats all of them":        {set: map[string]metav1.ConditionStatus{"A": "True", "B": "True", "Broken": "True"}, want: "False", wantReason: "BecauseBroken"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var list []metav1.Condition
			w := conditions.Writer{List: &list, Generation: 3, Now: now}
			for kind, status := range tc.set {
				w.Set(kind, status, "Because"+kind, "message of %s", kind)
			}
			summary.Apply(w, "all is well")
			got := meta.FindStatusCondition(list, "Ready")
			if got == nil || got.Status != tc.want || got.Reason != tc.wantReason || got.ObservedGeneration != 3 {
				t.Errorf("Ready = %+v, want %s/%s", got, tc.want, tc.wantReason)
			}
		})
	}
}

func TestSentenceIsBoundedAndValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, limit := rapid.String().Draw(t, "s"), rapid.IntRange(3, 64).Draw(t, "limit")
		got := conditions.Sentence(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\t") {
			t.Fatalf("Sentence(%q, %d) = %q", s, limit, got)
		}
	})
}
