package events_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/genode-operator/genode-operator/internal/events"
)

type sink struct{ lines []string }

func (s *sink) Eventf(_, _ runtime.Object, kind, reason, action, note string, args ...any) {
	s.lines = append(s.lines, strings.Join([]string{kind, reason, action, fmt.Sprintf(note, args...)}, " "))
}

func TestRecorderTellsEachEventOnce(t *testing.T) {
	var s sink
	r := events.NewRecorder(&s)
	pod := &corev1.Pod{}
	frozen := func(epoch int) events.Event {
		return events.Warning(pod, "GuestFrozen", "Recover", "silent for %d ms", 900).Once("uid", epoch)
	}
	r.Publish(frozen(1), frozen(1), frozen(2), events.Normal(pod, "Note", "Look", "100%%"), events.Normal(pod, "Note", "Look", "100%%"))
	want := []string{
		"Warning GuestFrozen Recover silent for 900 ms", "Warning GuestFrozen Recover silent for 900 ms",
		"Normal Note Look 100%", "Normal Note Look 100%",
	}
	if diff := cmp.Diff(want, s.lines); diff != "" {
		t.Error(diff)
	}
}

func TestRecorderForgetsTheOldest(t *testing.T) {
	var s sink
	r := events.NewRecorder(&s)
	for i := range 5000 {
		r.Publish(events.Normal(nil, "N", "A", "n").Once(i))
	}
	r.Publish(events.Normal(nil, "N", "A", "n").Once(4999), events.Normal(nil, "N", "A", "n").Once(0))
	if got := len(s.lines); got != 5001 {
		t.Errorf("told %d events, want 5001: the newest is remembered and the oldest is not", got)
	}
}
