package console

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	cases := map[string]Entry{
		"kernel initialized":                 {Level: LevelInfo, Text: "kernel initialized"},
		"[init -> taskloader] ready":         {Label: "init -> taskloader", Level: LevelInfo, Text: "ready"},
		"[init] Warning: out of caps":        {Label: "init", Level: LevelWarning, Text: "Warning: out of caps"},
		"[init -> nic] Error: no device":     {Label: "init -> nic", Level: LevelError, Text: "Error: no device"},
		"Error: boot failed":                 {Level: LevelError, Text: "Error: boot failed"},
		"an Error: is not at the beginning":  {Level: LevelInfo, Text: "an Error: is not at the beginning"},
		"[    0.123456] Linux version 6.1.0": {Level: LevelInfo, Text: "[    0.123456] Linux version 6.1.0"},
		"[] nothing":                         {Level: LevelInfo, Text: "[] nothing"},
		"[[x] y] z":                          {Level: LevelInfo, Text: "[[x] y] z"},
		"[init]no space":                     {Level: LevelInfo, Text: "[init]no space"},
		"[never closed":                      {Level: LevelInfo, Text: "[never closed"},
		"":                                   {Level: LevelInfo},
	}
	for text, want := range cases {
		if diff := cmp.Diff(want, parse(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestSplit(t *testing.T) {
	long := strings.Repeat("x", MaxWrite)
	cases := map[string]struct {
		label, text string
		want        []string
	}{
		"one line":                 {"ci", "variant 7\n", []string{"[ci] variant 7"}},
		"no label":                 {"", "bare", []string{"bare"}},
		"several lines":            {"ci", "a\n\nb", []string{"[ci] a", "[ci] ", "[ci] b"}},
		"as long as one call":      {"ci", long, []string{"[ci] " + long}},
		"longer":                   {"ci", long + "yz\nw", []string{"[ci] " + long, "[ci] yz", "[ci] w"}},
		"escapes and brackets":     {"c]\x1b[i\n", "\x1b[31mred\x1b[0m", []string{"[ci] red"}},
		"nothing":                  {"ci", "", nil},
		"a label of another guest": {"init -> x", "y", []string{"[init -> x] y"}},
	}
	for name, tc := range cases {
		if diff := cmp.Diff(tc.want, Split(tc.label, tc.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// texts are the texts of entries, each with number and start.
func texts(entries []Entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%d/%d:%s", e.Seq, e.Boot, e.Text))
	}
	return strings.Join(out, " ")
}

func TestLog(t *testing.T) {
	when := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)
	r := New(Options{Clock: clocktesting.NewFakePassiveClock(when)})
	r.Begin()
	changed := r.Changed()
	io.WriteString(r, "a\nb\nunfini")
	<-changed
	r.Begin() // the guest is gone in the middle of a line
	r.Append("op", "mark")
	io.WriteString(r, "d\ne")
	cases := map[string]struct {
		query  Query
		want   string
		missed uint64
	}{
		"since the newest start":            {Query{Lines: -1}, "4/2:mark 5/2:d", 0},
		"the newest one":                    {Query{Lines: 1}, "5/2:d", 0},
		"none":                              {Query{}, "", 0},
		"before that":                       {Query{Previous: true, Lines: -1}, "1/1:a 2/1:b 3/1:unfini", 0},
		"the newest before":                 {Query{Previous: true, Lines: 1}, "3/1:unfini", 0},
		"after one that is known":           {Query{After: 2, Lines: -1}, "3/1:unfini 4/2:mark 5/2:d", 0},
		"after the newest":                  {Query{After: 5, Lines: -1}, "", 0},
		"after one that does not exist yet": {Query{After: 99, Lines: -1}, "", 0},
	}
	for name, tc := range cases {
		got := r.Log(tc.query)
		if texts(got.Entries) != tc.want || got.Missed != tc.missed || got.Newest != 5 {
			t.Errorf("%s: %q, %d missed; want %q, %d", name, texts(got.Entries), got.Missed, tc.want, tc.missed)
		}
	}
	if got := r.Log(Query{Lines: 1}).Entries; !got[0].Time.Equal(when) {
		t.Errorf("time %s, want %s", got[0].Time, when)
	}
	if got := r.Log(Query{Lines: 2}).Entries; got[0].Label != "op" {
		t.Errorf("label %q", got[0].Label)
	}
	if diff := cmp.Diff([]string{"a", "b", "unfini", "[op] mark", "d", "e"}, r.Lines(-1)); diff != "" {
		t.Errorf("Lines (-want +got):\n%s", diff)
	}
}

// A follower that comes back now and then sees each line once, in order, and knows how many it has missed.
func TestAFollowerKnowsWhatItMissed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := New(Options{MaxBytes: rapid.IntRange(40, 400).Draw(t, "bytes")})
		printed, seen := uint64(0), uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"print": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "lines") {
					printed++
					fmt.Fprintf(r, "%d\n", printed)
				}
			},
			"start": func(*rapid.T) { r.Begin() },
			"look": func(t *rapid.T) {
				page := r.Log(Query{After: seen, Lines: -1})
				entries, missed := page.Entries, page.Missed
				if seen == 0 && len(entries) > 0 {
					missed = entries[0].Seq - 1 // what was before is not asked for
				}
				for i, e := range entries {
					if want := seen + missed + uint64(i) + 1; e.Seq != want || e.Text != fmt.Sprint(want) {
						t.Fatalf("entry %d %q, want %d", e.Seq, e.Text, want)
					}
				}
				if len(entries) > 0 {
					seen = entries[len(entries)-1].Seq
				}
				if len(entries) == 0 && seen > 0 && seen+missed != printed {
					t.Fatalf("nothing after %d, %d missed, of %d", seen, missed, printed)
				}
			},
			"": func(t *rapid.T) {
				if r.size > r.opts.MaxBytes || len(r.previous) > r.opts.MaxBytes/lineOverhead || r.current > len(r.lines) {
					t.Fatalf("%d bytes, %d previous lines, %d of %d current", r.size, len(r.previous), r.current, len(r.lines))
				}
			},
		})
	})
}
