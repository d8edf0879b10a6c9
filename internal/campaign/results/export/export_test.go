package export

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

const spec = `{"tasks":[
	{"name":"hello","pkg":"hey","priority":10,"quota":"1M"},
	{"name":"load","pkg":"pi","priority":50,"quota":"5Mi","periodMilliseconds":100,"criticalTimeMilliseconds":80,"config":{"arg1":100000,"sub":{"name":"x"},"item":[1,2,"c"]}}],
	"sweeps":[{"task":"hello","attribute":"priority","range":{"from":1,"to":3}}]}`

// stored is a store with a campaign: variant 0 was lost once and then succeeded, 1 failed for good.
func stored(t *testing.T) (results.Store, results.Campaign) {
	t.Helper()
	s, err := results.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "r.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	begun := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	c := results.Campaign{ID: "uid-1", Name: "lab/sweep", SpecHash: "abc", Seed: 7, Spec: []byte(spec), Total: 3, Begun: begun}
	if err := s.Begin(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	base := results.Record{
		Campaign: c.ID, Attempt: 1, Target: "lab/arm-0", Address: "127.0.0.1:3001", Generation: "1608b", HostClass: "Ping",
		Started: begun, Ended: begun.Add(1500 * time.Millisecond), BytesIn: 154, BytesOut: 44_000, Incarnation: 1,
	}
	lost, done, failed := base, base, base
	lost.Reason, lost.Message, lost.Values = "SessionLost", `end of file, "early"`, `{"hello.priority":"1"}`
	done.Attempt, done.Final, done.Succeeded, done.Reason, done.Values = 2, true, true, "Completed", `{"hello.priority":"1"}`
	done.Jobs = []results.Job{
		{Task: "hello", Number: 1, Start: ptr.To[int64](276427), End: ptr.To[int64](277087), Outcome: "EXIT"},
		{Task: "load", Number: 1, Start: ptr.To[int64](276430), End: ptr.To[int64](276500), Outcome: "EXIT"},
		{Task: "load", Number: 2, End: ptr.To[int64](276600), Outcome: "EXIT_CRITICAL"},
	}
	failed.Variant, failed.Final, failed.Reason, failed.Values = 1, true, "TimedOut", `{"hello.priority":"2"}`
	failed.Jobs = done.Jobs[:1]
	if err := s.Put(t.Context(), lost, done, failed); err != nil {
		t.Fatal(err)
	}
	return s, c
}

func written(t *testing.T, format Format, where string) string {
	t.Helper()
	filter, err := Compile(where)
	if err != nil {
		t.Fatal(err)
	}
	s, c := stored(t)
	var out bytes.Buffer
	if err := Write(t.Context(), &out, format, s, c, filter); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTextIsWhatTaskgenPrinted(t *testing.T) {
	want := "task: 0\n276427 277087\ntask: 1\n276430 276500\nNone 276600\n"
	if diff := cmp.Diff(want, written(t, Text, "")); diff != "" {
		t.Error(diff)
	}
}

func TestCSVHasALineForEachJob(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(written(t, CSV, ""))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1+1+3+1 {
		t.Fatalf("%d lines, want 6: %q", len(rows), rows)
	}
	at := func(line int, column string) string {
		for i, name := range rows[0] {
			if name == column {
				return rows[line][i]
			}
		}
		t.Fatalf("no column %s in %q", column, rows[0])
		return ""
	}
	for column, want := range map[string]string{
		"variant": "0", "attempt": "1", "final": "false", "reason": "SessionLost", "message": `end of file, "early"`, "values": `{"hello.priority":"1"}`,
		"started": "2026-11-22T12:00:00.000000Z", "ended": "2026-11-22T12:00:01.500000Z", "task": "", "outcome": "",
	} {
		if got := at(1, column); got != want {
			t.Errorf("%s = %q, want %q", column, got, want)
		}
	}
	for column, want := range map[string]string{
		"task": "load", "job": "2", "start_ms": "", "end_ms": "276600", "response_ms": "", "outcome": "EXIT_CRITICAL", "bytes_out": "44000",
	} {
		if got := at(4, column); got != want {
			t.Errorf("%s = %q, want %q", column, got, want)
		}
	}
	if got := at(2, "response_ms"); got != "660" {
		t.Errorf("response_ms = %q, want 660", got)
	}
}

func TestJSONAndJSONLinesSayTheSame(t *testing.T) {
	var array, lines []Record
	if err := json.Unmarshal([]byte(written(t, JSON, "")), &array); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(written(t, JSONL, "")) {
		var r Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, r)
	}
	if diff := cmp.Diff(array, lines); diff != "" {
		t.Error(diff)
	}
	if len(array) != 3 || array[1].Jobs[0].Response == nil || *array[1].Jobs[0].Response != 660 || array[1].Name != "lab/sweep" || array[0].Jobs == nil {
		t.Errorf("records %+v", array)
	}
	if none := written(t, JSON, "variant == 99"); strings.Join(strings.Fields(none), "") != "[]" {
		t.Errorf("no record at all: %q", none)
	}
}

func TestMongoDocumentsHaveTheOldShape(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(written(t, Mongo, "succeeded")), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d documents, want one for each of two tasks: %q", len(lines), lines)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[1]), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"description": map[string]any{
			"id": 1., "priority": 50., "quota": "5M", "pkg": "pi", "period": 100., "numberofjobs": 1., "criticaltime": 80.,
			"config": map[string]any{"arg1": 100000., "sub": map[string]any{"name": "x"}, "item": []any{1., 2., "c"}},
		},
		"jobs": []any{map[string]any{"start_date": 276430., "end_date": 276500.}, map[string]any{"start_date": nil, "end_date": 276600.}},
		"provenance": map[string]any{
			"campaign": "uid-1", "name": "lab/sweep", "variant": 0., "attempt": 2., "final": true, "succeeded": true, "reason": "Completed", "task": "load",
			"outcomes": []any{"EXIT", "EXIT_CRITICAL"}, "target": "lab/arm-0", "address": "127.0.0.1:3001", "generation": "1608b",
			"started": "2026-11-22T12:00:00Z", "ended": "2026-11-22T12:00:01.5Z",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(lines[0], `"priority":1,`) {
		t.Errorf("task hello of variant 0 has another priority: %s", lines[0])
	}
}

func TestTableIsForPeople(t *testing.T) {
	lines := strings.Split(written(t, Table, ""), "\n")
	want := "0          2       Completed      lab/arm-0                    1.500     3      70   365.0     660  hello.priority=1"
	if len(lines) != 5 || lines[2] != want {
		t.Errorf("table:\n%s\nwant in line 3:\n%s", strings.Join(lines, "\n"), want)
	}
}

func TestFiltersSeeEveryField(t *testing.T) {
	for where, want := range map[string]int{
		"":                                             3,
		"variant == 0 && attempt >= 2":                 1,
		"final && !succeeded":                          1,
		`reason == "SessionLost"`:                      1,
		`message.contains("early")`:                    1,
		`target.startsWith("lab/")`:                    3,
		`values["hello.priority"] < 1.5`:               2,
		`"hello.nothing" in values`:                    0,
		`jobs.exists(j, j.outcome != "EXIT")`:          1,
		`jobs.exists(j, j.startMilliseconds == null)`:  1,
		`jobs.exists(j, !has(j.responseMilliseconds))`: 1,
		`jobs.exists(j, has(j.responseMilliseconds) && j.responseMilliseconds > 600)`:      2,
		`jobs.filter(j, j.task == "load").size() == 2 && jobs[0].endMilliseconds > 277000`: 1,
		`started >= timestamp("2026-11-22T12:00:00Z") && seconds > 1.4 && seconds < 1.6`:   3,
		`hostClass == "Ping" && bytesOut > bytesIn && incarnation == 1`:                    3,
	} {
		rows := strings.Count(written(t, JSONL, where), "\n")
		if rows != want {
			t.Errorf("%s: %d records, want %d", where, rows, want)
		}
	}
}

func TestBadFiltersAreRefused(t *testing.T) {
	for where, want := range map[string]string{
		"variant = 1":                        "column 9",
		"nothing == 1":                       "column 1: undeclared reference to 'nothing'",
		"true &&\n  jobs.exists(j, j.x)":     "line 2, column 19",
		"variant":                            "compare something",
		"1 == ":                              "column",
		strings.Repeat("true && ", 600):      "at most 4096",
		strings.Repeat("(", 200) + "variant": "recursion limit",
	} {
		if _, err := Compile(where); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: error %v, want %s", where, err, want)
		}
	}
	f, err := Compile(`values["hello.nothing"] == 1`)
	if err != nil {
		t.Fatal(err)
	}
	s, c := stored(t)
	if err := Write(t.Context(), io.Discard, CSV, s, c, f); err == nil || !strings.Contains(err.Error(), `"name" in values`) {
		t.Errorf("a missing value: error %v", err)
	}
	f, err = Compile(`jobs.all(a, jobs.all(b, jobs.all(c, a.task + b.task + c.task == "")))`)
	if err != nil {
		t.Fatal(err)
	}
	many := results.Record{Jobs: make([]results.Job, 1000)}
	if _, err := f.Admits(&many); err == nil || !strings.Contains(err.Error(), "nest fewer loops") {
		t.Errorf("a costly expression: error %v", err)
	}
}

func TestErrorsOfTheReaderEndTheExport(t *testing.T) {
	s, c := stored(t)
	for _, format := range Formats() {
		if err := Write(t.Context(), full{}, format, s, c, nil); err == nil || !strings.Contains(err.Error(), "the pipe is broken") {
			t.Errorf("%s: error %v", format, err)
		}
	}
	c.Spec = nil
	if err := Write(t.Context(), io.Discard, Mongo, s, c, nil); err == nil || !strings.Contains(err.Error(), "does not have its spec") {
		t.Errorf("no spec: error %v", err)
	}
	if _, err := ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), "jsonl") {
		t.Errorf("an unknown format: error %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("the pipe is broken") }

// endless is a campaign of a million records.
type endless struct{ written int }

func (e *endless) Each(_ context.Context, campaign string, f func(results.Record) error) error {
	r := results.Record{Campaign: campaign, Attempt: 1, Final: true, Succeeded: true, Reason: "Completed", Values: `{"hello.priority":"3"}`, Jobs: []results.Job{
		{Task: "hello", Number: 1, Start: ptr.To[int64](1), End: ptr.To[int64](2), Outcome: "EXIT"},
	}}
	for ; e.written > 0; e.written-- {
		r.Variant++
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkWrite(b *testing.B) {
	c := results.Campaign{ID: "c", Spec: []byte(strings.Replace(spec, `"to":3`, `"to":127`, 1)), Total: 127}
	for _, format := range []Format{CSV, JSONL} {
		for _, where := range []string{"", `variant > 10 && values["hello.priority"] > 2`} {
			b.Run(fmt.Sprintf("%s where %q", format, where), func(b *testing.B) {
				b.ReportAllocs()
				filter, err := Compile(where)
				if err != nil {
					b.Fatal(err)
				}
				if err := Write(b.Context(), io.Discard, format, &endless{b.N}, c, filter); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
