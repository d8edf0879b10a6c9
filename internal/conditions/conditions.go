// Package conditions writes the conditions of one object in one pass: always with the generation they
// are about, with a bounded message, and with a Ready condition that is computed from a declared list.
package conditions

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// MaxMessage is the longest message in bytes; longer ones are cut and end with "...".
const MaxMessage = 512

// Writer sets conditions of one object.
type Writer struct {
	// List is the object's list of conditions.
	List *[]metav1.Condition
	// Generation of the spec that the conditions are about.
	Generation int64
	// Now becomes the transition time of conditions whose status changes.
	Now time.Time
}

// Set sets one condition. An empty reason would be refused by the API server, so it becomes NotYetReported.
func (w Writer) Set(kind string, status metav1.ConditionStatus, reason, format string, args ...any) {
	if reason == "" {
		reason = v1alpha1.ReasonNotReported
	}
	meta.SetStatusCondition(w.List, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: Sentence(fmt.Sprintf(format, args...), MaxMessage),
		ObservedGeneration: w.Generation, LastTransitionTime: metav1.NewTime(w.Now),
	})
}

// Remove takes a condition away, for those that are present only while they are true.
func (w Writer) Remove(kind string) { meta.RemoveStatusCondition(w.List, kind) }

// Is says whether a condition has a status; a missing one is Unknown.
func (w Writer) Is(kind string, status metav1.ConditionStatus) bool {
	return w.get(kind).Status == status
}

func (w Writer) get(kind string) metav1.Condition {
	if c := meta.FindStatusCondition(*w.List, kind); c != nil {
		return *c
	}
	return metav1.Condition{Type: kind, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotReported, Message: kind + " has not been reported yet"}
}

// Sentence bounds s to limit bytes of valid UTF-8 on one line.
func Sentence(s string, limit int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) <= limit {
		return s
	}
	cut := max(limit-len("..."), 0)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// Summary declares how one condition follows from others.
type Summary struct {
	// Target is the computed condition, usually Ready.
	Target string
	// From must all be True; the first one that is not gives reason and message.
	From []string
	// Negative are abnormal-true conditions: one of them that is True beats everything in From.
	Negative []string
}

// Apply computes the summary. The reason of a True summary is Ready, with the given message.
func (s Summary) Apply(w Writer, message string) {
	for _, kind := range s.Negative {
		if c := w.get(kind); c.Status == metav1.ConditionTrue {
			w.Set(s.Target, metav1.ConditionFalse, c.Reason, "%s", c.Message)
			return
		}
	}
	for _, kind := range s.From {
		if c := w.get(kind); c.Status != metav1.ConditionTrue {
			w.Set(s.Target, c.Status, c.Reason, "%s", c.Message)
			return
		}
	}
	w.Set(s.Target, metav1.ConditionTrue, v1alpha1.ReasonReady, "%s", message)
}
