package results

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"k8s.io/utils/ptr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *SQLite {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func read(t *testing.T, s Store, campaign string) []Record {
	t.Helper()
	var out []Record
	if err := s.Each(t.Context(), campaign, func(r Record) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func record(variant uint64, attempt int32, final bool) Record {
	at := time.UnixMicro(1_700_000_000_000_000)
	return Record{
		Campaign: "c1", Variant: variant, Attempt: attempt, Final: final, Succeeded: final, Reason: "Completed",
		Target: "arm-0", Address: "127.0.0.1:3001", Generation: "1608b", Values: `{"hello.priority":3}`, Started: at, Ended: at.Add(time.Second),
		Jobs: []Job{
			{Task: "hello", Number: 1, Start: ptr.To(int64(10)), End: ptr.To(int64(25)), Outcome: "EXIT"},
			{Task: "load", Number: 1, End: ptr.To(int64(30)), Outcome: "EXIT_CRITICAL"},
		},
	}
}

func TestRecordsSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results with spaces?.db")
	s := open(t, path)
	want := []Record{record(7, 1, false), record(7, 2, true)}
	if err := s.Put(t.Context(), want...); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read(t, open(t, path), "c1")); diff != "" {
		t.Error(diff)
	}
}

func TestPutIsIdempotent(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "r.db"))
	first, again := record(1, 1, true), record(1, 1, true)
	again.Reason = "Rewritten"
	for _, r := range []Record{first, first, again} {
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]Record{first}, read(t, s, "c1")); diff != "" {
		t.Error(diff)
	}
}

func TestAVariantHasAtMostOneFinalRecord(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "r.db"))
	for attempt := range int32(3) {
		if err := s.Put(t.Context(), record(1, attempt+1, true)); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, s, "c1"); len(got) != 1 || got[0].Attempt != 1 {
		t.Errorf("final records of variant 1: %+v, want attempt 1 only", got)
	}
}

func TestConcurrentPutsAreAllKept(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "r.db"))
	const n = 200
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := range uint64(n) {
		wg.Go(func() { errs <- s.Put(context.Background(), record(i, 1, true)) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := map[uint64]bool{}
	for _, r := range read(t, s, "c1") {
		seen[r.Variant] = true
	}
	if len(seen) != n {
		t.Errorf("%d variants stored, want %d", len(seen), n)
	}
}

func TestABadRecordDoesNotFailItsNeighbours(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "r.db"))
	bad := record(1<<63, 1, true)
	answers := []put{{records: []Record{bad}, answer: make(chan error, 1)}, {records: []Record{record(2, 1, true)}, answer: make(chan error, 1)}}
	s.commit(answers)
	if err := <-answers[0].answer; err == nil || !strings.Contains(err.Error(), "9223372036854775807") {
		t.Errorf("bad record: error %v, want one that names the limit", err)
	}
	if err := <-answers[1].answer; err != nil {
		t.Errorf("good record: %v", err)
	}
	if got := read(t, s, "c1"); len(got) != 1 || got[0].Variant != 2 {
		t.Errorf("stored %+v, want variant 2 only", got)
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "r.db")
	if _, err := OpenSQLite(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name %s", err, path)
	}
}

func TestPutAfterClose(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "r.db"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), record(1, 1, true)); err == nil {
		t.Error("Put after Close succeeded")
	}
}

func BenchmarkPut(b *testing.B) {
	s, err := OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "r.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, writers := range []int{1, 8} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			var n uint64
			var mu sync.Mutex
			b.SetParallelism(writers)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mu.Lock()
					n++
					r := record(uint64(writers)<<40+n, 1, true)
					mu.Unlock()
					if err := s.Put(context.Background(), r); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
