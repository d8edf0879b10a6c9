package results

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
)

// conform tests what every store has to do. For each test, create makes an empty store and returns what opens it.
func conform(t *testing.T, create func(*testing.T) func() Store) {
	for name, test := range map[string]func(*testing.T, func() Store){
		"records survive reopening":                     recordsSurviveReopening,
		"put is idempotent":                             putIsIdempotent,
		"a variant has at most one final record":        oneFinalRecord,
		"a final record goes through a batch with none": duplicatesWithinABatch,
		"concurrent puts are all kept":                  concurrentPuts,
		"a bad record does not fail its neighbours":     badNeighbours,
		"campaigns do not mix":                          campaignsDoNotMix,
		"campaigns are begun once":                      campaignsAreBegunOnce,
		"failed variants are reopened":                  failedVariantsAreReopened,
		"what no text is becomes one":                   whatNoTextIs,
		"reading ends with an error of who reads":       readingEnds,
		"who reads may write":                           whoReadsMayWrite,
		"nothing works after close":                     nothingWorksAfterClose,
		"a put ends with its context":                   putEndsWithItsContext,
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) { test(t, create(t)) })
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, s Store, campaign string) []Record {
	t.Helper()
	var out []Record
	must(t, s.Each(t.Context(), campaign, func(r Record) error { out = append(out, r); return nil }))
	return out
}

func record(variant uint64, attempt int32, final bool) Record {
	at := time.UnixMicro(1_700_000_000_000_000)
	return Record{
		Campaign: "c1", Variant: variant, Attempt: attempt, Final: final, Succeeded: final, Reason: "Completed",
		Target: "arm-0", Address: "127.0.0.1:3001", Generation: "1608b", Values: `{"hello.priority":3}`, Started: at, Ended: at.Add(time.Second),
		ImageDigest: "sha256:17", HostClass: "Qemu/linux-x86", BytesIn: 417, BytesOut: 45_000, Incarnation: 3, AfterRecovery: "Restore",
		Jobs: []Job{
			{Task: "hello", Number: 1, Start: ptr.To(int64(10)), End: ptr.To(int64(25)), Outcome: "EXIT"},
			{Task: "load", Number: 1, End: ptr.To(int64(30)), Outcome: "EXIT_CRITICAL"},
		},
	}
}

func recordsSurviveReopening(t *testing.T, open func() Store) {
	s := open()
	bare := record(8, 1, true)
	bare.Values, bare.Jobs, bare.Message, bare.ImageDigest = "", nil, "nothing to say", ""
	odd := record(math.MaxInt64, math.MaxInt32, true)
	odd.Jobs = append(odd.Jobs, Job{Task: `a "quoted\ task`, Outcome: "EXIT\twith <ünï>"}, Job{Task: "never", Outcome: "NOT_SCHEDULED"})
	odd.Jobs = append(odd.Jobs, Job{Task: "told", Number: 7, Start: ptr.To(int64(5)), End: ptr.To(int64(9)), Outcome: "EXIT", Released: ptr.To(int64(3))})
	odd.Analysis = `{"schedulable":true}`
	odd.Values, odd.Message = `{"a.config.x":"<\"é\">"}`, "it's\n“done”"
	told := record(9, 1, true)
	told.Jobs, told.Analysis = []Job{{Task: "hello", Number: 1, Outcome: "EXIT_PERIOD", Released: ptr.To(int64(0))}, told.Jobs[0]}, `{"schedulable":false}`
	want := []Record{record(7, 1, false), record(7, 2, true), bare, odd, told}
	must(t, s.Put(t.Context(), want...))
	must(t, s.Close())
	if diff := cmp.Diff(want, read(t, open(), "c1")); diff != "" {
		t.Error(diff)
	}
}

func putIsIdempotent(t *testing.T, open func() Store) {
	s := open()
	first, again := record(1, 1, true), record(1, 1, true)
	again.Reason, again.Jobs = "Rewritten", nil
	for _, r := range []Record{first, first, again} {
		must(t, s.Put(t.Context(), r))
	}
	if diff := cmp.Diff([]Record{first}, read(t, s, "c1")); diff != "" {
		t.Error(diff)
	}
}

func oneFinalRecord(t *testing.T, open func() Store) {
	s := open()
	for attempt := range int32(3) {
		must(t, s.Put(t.Context(), record(1, attempt+1, true)))
	}
	if got := read(t, s, "c1"); len(got) != 1 || got[0].Attempt != 1 {
		t.Errorf("final records of variant 1: %+v, want attempt 1 only", got)
	}
}

func duplicatesWithinABatch(t *testing.T, open func() Store) {
	s := open()
	var all []Record
	for v := range uint64(100) {
		all = append(all, record(v, 1, false), record(v, 2, true), record(v, 2, true), record(v, 3, true))
	}
	must(t, s.Put(t.Context(), all...))
	got := read(t, s, "c1")
	if len(got) != 200 {
		t.Fatalf("%d records, want 200", len(got))
	}
	for i, r := range got {
		if want := record(uint64(i/2), int32(i%2)+1, i%2 == 1); !cmp.Equal(want, r) {
			t.Fatalf("record %d: %s", i, cmp.Diff(want, r))
		}
	}
}

func concurrentPuts(t *testing.T, open func() Store) {
	s := open()
	const n = 200
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := range uint64(n) {
		wg.Go(func() { errs <- s.Put(context.Background(), record(i, 1, true)) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		must(t, err)
	}
	seen := map[uint64]bool{}
	for _, r := range read(t, s, "c1") {
		seen[r.Variant] = true
	}
	if len(seen) != n {
		t.Errorf("%d variants stored, want %d", len(seen), n)
	}
}

func badNeighbours(t *testing.T, open func() Store) {
	s := open()
	bad, good := record(1<<63, 1, true), record(2, 1, true)
	if err := s.Put(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "9223372036854775807") {
		t.Errorf("bad record: error %v, want one that names the limit", err)
	}
	must(t, s.Put(t.Context(), good))
	if got := read(t, s, "c1"); len(got) != 1 || got[0].Variant != 2 {
		t.Errorf("stored %+v, want variant 2 only", got)
	}
}

func campaignsDoNotMix(t *testing.T, open func() Store) {
	s := open()
	for i := range 30 {
		r := record(uint64(i), 1, true)
		r.Campaign = fmt.Sprintf("c%d", i%3)
		must(t, s.Put(t.Context(), r))
	}
	for _, campaign := range []string{"c0", "c1", "c2", "nobody"} {
		got := read(t, s, campaign)
		if len(got) != 10 && campaign != "nobody" || len(got) != 0 && campaign == "nobody" {
			t.Errorf("%d records of %s", len(got), campaign)
		}
		for i, r := range got {
			if r.Campaign != campaign || i > 0 && r.Variant != got[i-1].Variant+3 {
				t.Errorf("record %d of %s is of variant %d of %s", i, campaign, r.Variant, r.Campaign)
			}
		}
	}
}

func campaignsAreBegunOnce(t *testing.T, open func() Store) {
	s := open()
	first := Campaign{ID: "c1", Name: "ns/first", SpecHash: "abc", Seed: -7, Spec: []byte(`{"tasks":[]}`), Total: math.MaxInt64, Begun: time.UnixMicro(5)}
	must(t, s.Put(t.Context(), record(1, 1, true))) // of a campaign that nobody knows yet
	second := first
	second.ID, second.Name, second.Begun = "c2", "ns/second", time.UnixMicro(6)
	for _, c := range []Campaign{second, first, first, second} {
		must(t, s.Begin(t.Context(), c))
	}
	other := first
	other.SpecHash = "def"
	if err := s.Begin(t.Context(), other); !errors.Is(err, ErrOtherSpec) || !strings.Contains(err.Error(), "ns/first") {
		t.Errorf("another spec: error %v", err)
	}
	got, err := s.Campaigns(t.Context())
	must(t, err)
	first.Begun = record(1, 1, true).Started
	if diff := cmp.Diff([]Campaign{second, first}, got); diff != "" {
		t.Error(diff)
	}
	if err := s.Begin(t.Context(), Campaign{ID: "c3", Name: "huge", Total: math.MaxUint64}); err == nil {
		t.Error("a campaign of 2^64 variants was begun")
	}
}

func failedVariantsAreReopened(t *testing.T, open func() Store) {
	s := open()
	failed := record(1, 2, true)
	failed.Succeeded, failed.Reason = false, "TimedOut"
	other := failed
	other.Campaign = "c2"
	must(t, s.Put(t.Context(), record(0, 1, true), record(1, 1, false), failed, other))
	if n, err := s.Reopen(t.Context(), "c1"); err != nil || n != 1 {
		t.Errorf("%d reopened, %v; want 1", n, err)
	}
	if n, err := s.Reopen(t.Context(), "c1"); err != nil || n != 0 {
		t.Errorf("%d reopened the second time, %v; want 0", n, err)
	}
	must(t, s.Put(t.Context(), record(1, 3, true)))
	got := read(t, s, "c1")
	failed.Final = false
	if diff := cmp.Diff([]Record{record(0, 1, true), record(1, 1, false), failed, record(1, 3, true)}, got); diff != "" {
		t.Error(diff)
	}
	if got := read(t, s, "c2"); len(got) != 1 || !got[0].Final {
		t.Errorf("the other campaign: %+v", got)
	}
}

// whatNoTextIs: a target sends what it likes.
func whatNoTextIs(t *testing.T, open func() Store) {
	s := open()
	r := record(1, 1, true)
	r.Message, r.Jobs[0].Outcome = "bytes \xff\xfe and \x00", "EX\x00IT\x80"
	must(t, s.Put(t.Context(), r))
	want := record(1, 1, true)
	want.Message, want.Jobs[0].Outcome = "bytes � and �", "EX�IT�"
	if diff := cmp.Diff([]Record{want}, read(t, s, "c1")); diff != "" {
		t.Error(diff)
	}
	if r.Jobs[0].Outcome != "EX\x00IT\x80" {
		t.Error("the caller's record was changed")
	}
}

func readingEnds(t *testing.T, open func() Store) {
	s := open()
	must(t, s.Put(t.Context(), record(1, 1, true), record(2, 1, true)))
	enough := errors.New("enough")
	calls := 0
	if err := s.Each(t.Context(), "c1", func(Record) error { calls++; return enough }); !errors.Is(err, enough) || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Each(ctx, "c1", func(Record) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func whoReadsMayWrite(t *testing.T, open func() Store) {
	s := open()
	must(t, s.Put(t.Context(), record(1, 1, true)))
	must(t, s.Each(t.Context(), "c1", func(r Record) error { return s.Put(t.Context(), record(r.Variant+1, 1, true)) }))
	if got := read(t, s, "c1"); len(got) < 2 {
		t.Errorf("%d records", len(got))
	}
}

func nothingWorksAfterClose(t *testing.T, open func() Store) {
	s := open()
	must(t, s.Close())
	_, listed := s.Campaigns(t.Context())
	_, reopened := s.Reopen(t.Context(), "c1")
	for what, err := range map[string]error{
		"put": s.Put(t.Context(), record(1, 1, true)), "begin": s.Begin(t.Context(), Campaign{ID: "c1"}), "campaigns": listed, "reopen": reopened,
		"each": s.Each(t.Context(), "c1", func(Record) error { return nil }),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: error %v, want ErrClosed", what, err)
		}
	}
	must(t, s.Close())
}

func putEndsWithItsContext(t *testing.T, open func() Store) {
	s := open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, record(1, 1, true)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if got := read(t, s, "c1"); len(got) != 0 {
		t.Errorf("%d records", len(got))
	}
}

// benchmarkPut writes b.N records of one job, so many at a time by each writer.
func benchmarkPut(b *testing.B, s Store, writers, at int) {
	b.Helper()
	var next atomic.Uint64
	var group sync.WaitGroup
	b.ResetTimer()
	for range writers {
		group.Go(func() {
			batch := make([]Record, 0, at)
			for v := next.Add(1); v <= uint64(b.N); v = next.Add(1) {
				r := record(v, 1, true)
				r.Jobs = r.Jobs[:1]
				if batch = append(batch, r); len(batch) == at || v == uint64(b.N) {
					if err := s.Put(b.Context(), batch...); err != nil {
						b.Error(err)
					}
					batch = batch[:0]
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func benchmarkEach(b *testing.B, s Store) {
	b.Helper()
	const n = 100_000
	batch := make([]Record, 0, 1000)
	for v := range uint64(n) {
		r := record(v, 1, true)
		r.Jobs = r.Jobs[:1]
		if batch = append(batch, r); len(batch) == cap(batch) {
			must(b, s.Put(b.Context(), batch...))
			batch = batch[:0]
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		found := 0
		must(b, s.Each(b.Context(), "c1", func(Record) error { found++; return nil }))
		if found != n {
			b.Fatalf("%d records", found)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
}
