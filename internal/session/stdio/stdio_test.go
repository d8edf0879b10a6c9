package stdio_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/stdio"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(variant uint64) session.Run {
	elf := []byte("\x7fELF")
	return session.Run{
		Variant: variant,
		Tasks: []taskset.Task{
			{ID: 0, Name: "hello", Pkg: "hey", Quota: 1 << 20, Priority: 7, NumberOfJobs: 1},
			{ID: 1, Name: "again", Pkg: "hey", Quota: 1 << 20, Priority: 8, NumberOfJobs: 1},
		},
		Binaries: map[string]session.Binary{
			"hey": {Name: "hey", Content: elf, SHA256: sha256.Sum256(elf)}, "pi": {Name: "pi", Content: elf},
		},
	}
}

func connect(t *testing.T, c session.Class, generation string) session.Session {
	t.Helper()
	s, err := c.Connect(t.Context(), session.Target{Name: "default/dry", Class: "Stdio", Generation: generation})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAVariantIsPrintedAndOver(t *testing.T) {
	var out bytes.Buffer
	c := stdio.New(&out)
	if err := c.Available(t.Context(), session.Target{}); err != nil {
		t.Error(err)
	}
	s := connect(t, c, taskset.G2017)
	r := run(17)
	r.Admission = &taskset.Admission{Goal: taskset.GoalFairness}
	if err := s.Start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	description := taskset.Description(r.Tasks)
	want := fmt.Sprintf("# variant 17 for default/dry, generation 2017\n# admission control: 178 bytes\n%s\n# binary hey: 4 bytes, sha256 %x\n# description: %d bytes\n%s\n",
		taskset.OptimizeDocument(*r.Admission), sha256.Sum256([]byte("\x7fELF")), len(description), description)
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
	events, err := s.Next(t.Context())
	if err != nil || len(events) != 2 || events[0].Type != session.EventJobsDone || events[0].TaskID != 0 || events[1].TaskID != 1 {
		t.Errorf("events = %+v, %v", events, err)
	}
	if received, sent := s.Traffic(); received != 0 || sent != int64(out.Len()) {
		t.Errorf("traffic %d, %d", received, sent)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next after all was told: %v", err)
	}
}

func TestTheGoalOf1608bIsPartOfTheDescription(t *testing.T) {
	var out bytes.Buffer
	s := connect(t, stdio.New(&out), taskset.G1608b)
	r := run(0)
	r.Admission = &taskset.Admission{Goal: taskset.GoalUtilization}
	if err := s.Start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), string(taskset.DescriptionWithGoal(r.Tasks, r.Admission))) || strings.Contains(out.String(), "# admission") {
		t.Errorf("printed:\n%s", out.String())
	}
}

func TestWhatATargetWouldRefuseIsRefused(t *testing.T) {
	var out bytes.Buffer
	for generation, change := range map[string]func(*session.Run){
		taskset.G1608a: func(r *session.Run) { r.Admission = &taskset.Admission{Goal: taskset.GoalNone} },
		taskset.G1802:  func(*session.Run) {}, // starts no task without a period
		taskset.Auto:   func(r *session.Run) { r.Tasks = nil },
		"":             func(r *session.Run) { r.Tasks[0].Quota = 0 },
	} {
		s := connect(t, stdio.New(&out), generation)
		bad := run(1)
		change(&bad)
		if err := s.Start(t.Context(), bad); !errors.Is(err, session.ErrUnsupported) {
			t.Errorf("%s: %v", generation, err)
		}
	}
	if out.Len() > 0 {
		t.Errorf("printed:\n%s", out.String())
	}
	if err := connect(t, stdio.New(&out), "").Start(t.Context(), run(1)); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

func TestStopGivesWhatWasNotTold(t *testing.T) {
	s := connect(t, stdio.New(&bytes.Buffer{}), "")
	if err := s.Start(t.Context(), run(1)); err != nil {
		t.Fatal(err)
	}
	if events, err := s.Stop(t.Context()); err != nil || len(events) != 2 {
		t.Errorf("stop: %v, %v", events, err)
	}
	if events, err := s.Stop(t.Context()); err != nil || len(events) != 0 {
		t.Errorf("stop again: %v, %v", events, err)
	}
}

// broken is a pipe whose reader has gone.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAPipeThatBreaksIsALostSession(t *testing.T) {
	s := connect(t, stdio.New(broken{}), "")
	for range 2 {
		if err := s.Start(t.Context(), run(3)); !errors.Is(err, session.ErrLost) || !strings.Contains(err.Error(), "print variant 3: session lost: broken pipe") {
			t.Errorf("start: %v", err)
		}
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, session.ErrLost) {
		t.Errorf("next: %v", err)
	}
}

func TestCloseEndsACallAndIsFinal(t *testing.T) {
	s := connect(t, stdio.New(&bytes.Buffer{}), "")
	result := make(chan error)
	go func() {
		_, err := s.Next(context.WithoutCancel(t.Context()))
		result <- err
	}()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-result; !errors.Is(err, session.ErrClosed) || !errors.Is(err, net.ErrClosed) {
		t.Errorf("next: %v", err)
	}
	if err := s.Start(t.Context(), run(1)); !errors.Is(err, session.ErrClosed) {
		t.Errorf("start: %v", err)
	}
}

func TestVariantsThatArePrintedAtOnceAreNotMixed(t *testing.T) {
	var out bytes.Buffer
	c := stdio.New(&out)
	var all sync.WaitGroup
	want := 0
	for i := range 8 {
		want += 50 * len(stdio.Text(session.Target{Name: "default/dry", Generation: taskset.Auto}, run(uint64(i))))
		all.Go(func() {
			s := connect(t, c, "")
			for range 50 {
				if err := s.Start(t.Context(), run(uint64(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for i := range 8 {
		if n := strings.Count(out.String(), string(stdio.Text(session.Target{Name: "default/dry", Generation: taskset.Auto}, run(uint64(i))))); n != 50 {
			t.Errorf("variant %d was printed %d times in one piece", i, n)
		}
	}
	if out.Len() != want {
		t.Errorf("%d bytes, want %d", out.Len(), want)
	}
}
