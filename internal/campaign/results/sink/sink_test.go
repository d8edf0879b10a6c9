package sink

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// notices are those of two attempts at a variant: the first one is lost, the second one succeeds.
func notices() []results.Notice {
	base := results.Notice{
		Time: noon, Campaign: "uid-1", Name: "lab/sweep", Variant: 3, Attempt: 1, Target: "lab/arm-0", Address: "127.0.0.1:3001",
		Tasks: []taskset.Task{{ID: 0, Name: "hello", Pkg: "hey", Priority: 10, Quota: 1 << 20, NumberOfJobs: 1}, {ID: 1, Name: "load", Pkg: "pi"}},
	}
	of := func(kind results.NoticeKind, attempt int32) results.Notice {
		n := base
		n.Kind, n.Attempt = kind, attempt
		return n
	}
	lost, done := of(results.NoticeStopped, 1), of(results.NoticeFinished, 2)
	lost.Record = &results.Record{Campaign: "uid-1", Variant: 3, Attempt: 1, Reason: "SessionLost", Target: "lab/arm-0", Started: noon, Ended: noon}
	done.Record = &results.Record{
		Campaign: "uid-1", Variant: 3, Attempt: 2, Final: true, Succeeded: true, Reason: "Completed", Target: "lab/arm-0", Started: noon, Ended: noon.Add(time.Second),
		Jobs: []results.Job{{Task: "hello", Number: 1, Start: ptr.To[int64](276427), End: ptr.To[int64](277087), Outcome: "EXIT"}},
	}
	seen := of(results.NoticeObserved, 2)
	seen.Events = []session.Event{{Type: "START", TaskID: 0, Stamp: 276427, Received: noon}, {Type: "EXIT", TaskID: 7, Stamp: 277087, Received: noon}}
	return []results.Notice{of(results.NoticeStarted, 1), lost, of(results.NoticeStarted, 2), seen, done}
}

// told is what a sink makes of the notices, in one go and then one by one.
func told(t *testing.T, name string) string {
	t.Helper()
	var out bytes.Buffer
	s, err := Open(t.Context(), name, &out)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Notify(t.Context(), notices()...); err != nil {
		t.Fatal(err)
	}
	for _, n := range notices() {
		if err := s.Notify(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTextPrintsWhatTaskgenDid(t *testing.T) {
	once := "task: 0\n276427 277087\ntask: 1\n"
	for _, name := range []string{"text", "stdout.StdOutMonitor", "text:-"} {
		if diff := cmp.Diff(once+once, told(t, name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestJSONLinesTellEveryNotice(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(told(t, "jsonl")), "\n")
	if len(lines) != 10 {
		t.Fatalf("%d lines, want 10", len(lines))
	}
	var got []Line
	for _, line := range lines[:5] {
		var l Line
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Variant != 3 || l.Target != "lab/arm-0" || l.Address != "127.0.0.1:3001" || !l.Time.Equal(noon) || l.Name != "lab/sweep" {
			t.Errorf("line %s", line)
		}
		got = append(got, l)
	}
	if got[0].Notice != "Started" || got[1].Record.Reason != "SessionLost" || got[4].Record.Jobs[0].Outcome != "EXIT" {
		t.Errorf("lines %+v", got)
	}
	want := []Event{{Type: "START", Task: "hello", Stamp: 276427, Received: noon}, {Type: "EXIT", ID: 7, Stamp: 277087, Received: noon}}
	if diff := cmp.Diff(want, got[3].Events); diff != "" {
		t.Error(diff)
	}
}

func TestFilesAreAppendedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.csv")
	for range 2 {
		if out := told(t, "csv:"+path); out != "" {
			t.Errorf("standard output got %q", out)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if len(lines) != 1+2*4 || !strings.HasPrefix(lines[0], "campaign,variant") || strings.Count(string(content), "campaign,variant") != 1 {
		t.Errorf("%d lines, want one head and 8 attempts:\n%s", len(lines), content)
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	for name, want := range map[string]string{
		"xml:/tmp/x":                      "use text, csv, jsonl, mongo",
		"csv:/nonexistent/folder/x.csv":   "open sink csv",
		"mongo:http://me:s3cret@host":     "open sink mongo",
		"mongodb://me:s3cret@host:port/x": "open sink mongo",
	} {
		s, err := Open(t.Context(), name, os.Stdout)
		if err == nil || s != nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
	for _, k := range List() {
		if k.Doc == "" || k.Name == "" {
			t.Errorf("kind %+v says nothing", k)
		}
	}
}

// TestAFullDiskIsForgottenOnceThereIsSpace: the device /dev/full is a disk without space.
func TestAFullDiskIsForgottenOnceThereIsSpace(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var room bytes.Buffer
	way := &switchable{to: full}
	s, err := Open(t.Context(), "jsonl", way)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Notify(t.Context(), notices()[0]); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("error %v", err)
	}
	way.to = &room
	if err := s.Notify(t.Context(), notices()[0]); err != nil {
		t.Fatal(err)
	}
	if strings.Count(room.String(), "\n") != 1 {
		t.Errorf("written: %q", room.String())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

type switchable struct {
	to interface{ Write([]byte) (int, error) }
}

func (s *switchable) Write(p []byte) (int, error) { return s.to.Write(p) }
