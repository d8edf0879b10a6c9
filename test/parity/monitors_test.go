package parity

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/sink"
	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// watched is a lab whose engine tells an observer.
func watched(t *testing.T, observe func(results.Notice), targets ...*faketarget.Target) *lab {
	t.Helper()
	l := newLab(t, targets...)
	l.stop()
	l.observe = observe
	l.start()
	return l
}

// heard collects notices.
type heard struct {
	mu  sync.Mutex
	all []results.Notice
}

func (h *heard) observe(n results.Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, n)
}

// of are the kinds of notices of one attempt, in their order.
func (h *heard) of(variant uint64, attempt int32) (kinds []results.NoticeKind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.all {
		if n.Variant == variant && n.Attempt == attempt && !(n.Kind == results.NoticeObserved && slices.Contains(kinds, n.Kind)) {
			kinds = append(kinds, n.Kind)
		}
	}
	return kinds
}

func TestF26MonitorsHearOfStartEventFinishStop(t *testing.T) {
	var h heard
	l := watched(t, h.observe, fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtStart, Do: faketarget.Reset()}}}))
	l.run(l.plan(four + "retries: {limit: 1}"))
	first := []results.NoticeKind{results.NoticeStarted, results.NoticeStopped}
	well := []results.NoticeKind{results.NoticeStarted, results.NoticeObserved, results.NoticeFinished}
	if got := h.of(0, 1); !slices.Equal(got, first) {
		t.Errorf("of an attempt whose session was lost a monitor hears %v, want %v", got, first)
	}
	for v := range uint64(4) {
		attempt := int32(1)
		if v == 0 {
			attempt = 2
		}
		if got := h.of(v, attempt); !slices.Equal(got, well) {
			t.Errorf("of variant %d a monitor hears %v, want %v", v, got, well)
		}
	}
	for _, n := range h.all {
		if n.Target != "a" || n.Address != l.targets[0].Address() || n.Time.IsZero() || len(n.Tasks) != 1 || n.Campaign != "c" {
			t.Errorf("a notice does not say what it is about: %+v", n)
		}
	}
}

func TestF28TextOutput(t *testing.T) {
	var out bytes.Buffer
	fan, err := sink.OpenFan(t.Context(), []string{"stdout.StdOutMonitor"}, &out, logr.Discard(), clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	l := watched(t, fan.Observe, fake(t, faketarget.Options{}))
	var want strings.Builder
	for _, r := range l.run(l.plan(four)) {
		fmt.Fprintf(&want, "task: %d\n", 0)
		for _, j := range r.Jobs {
			fmt.Fprintf(&want, "%d %d\n", *j.Start, *j.End)
		}
	}
	l.stop()
	if err := fan.Close(); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() || strings.Count(out.String(), "\n") != 8 {
		t.Errorf("the monitor wrote\n%swant, of four variants with one job each,\n%s", out.String(), want.String())
	}
}
