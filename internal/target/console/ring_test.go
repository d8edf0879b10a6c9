package console

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestLines(t *testing.T) {
	tests := map[string]struct {
		input     []string
		flush     bool
		maxLine   int
		wantLines []string
		wantTee   string
	}{
		"lines end with a line feed, the unfinished one is shown but not logged": {
			input:     []string{"one\ntw", "o\nthr"},
			wantLines: []string{"one", "two", "thr"},
			wantTee:   "one\ntwo\n",
		},
		"flush ends the unfinished line": {
			input: []string{"one\ntw"}, flush: true,
			wantLines: []string{"one", "tw"},
			wantTee:   "one\ntw\n",
		},
		"flush without an unfinished line adds nothing": {
			input: []string{"one\n"}, flush: true,
			wantLines: []string{"one"}, wantTee: "one\n",
		},
		"carriage returns and control characters vanish, tabs stay": {
			input:     []string{"a\r\n\x00b\x07\tc\x7f\r\r\n"},
			wantLines: []string{"a", "b\tc"}, wantTee: "a\nb\tc\n",
		},
		"terminal escapes vanish even when cut by a write": {
			input:     []string{"\x1b[2J\x1b[1;3", "4mblue\x1b[0m\x1bcx\x1b(By\x1b]0;title\x07z\n"},
			wantLines: []string{"bluexyz"}, wantTee: "bluexyz\n",
		},
		"an unfinished escape string costs no more than its line": {
			input:     []string{"a\x1b]never ended\nb\n"},
			wantLines: []string{"a", "b"}, wantTee: "a\nb\n",
		},
		"rubbish becomes valid UTF-8": {
			input:     []string{"\xff\xfeok\xc3\n\xc3\xa4\xc2\x85\n"},
			wantLines: []string{"\uFFFDok\uFFFD", "ä"}, wantTee: "\uFFFDok\uFFFD\nä\n",
		},
		"a line that is too long is cut between characters": {
			input: []string{"abcdäf\n"}, maxLine: 5,
			wantLines: []string{"abcd", "äf"}, wantTee: "abcd\näf\n",
		},
		"a line of exactly the limit is one line": {
			input: []string{"abcde\nabcde", "fghij\n\n"}, maxLine: 5,
			wantLines: []string{"abcde", "abcde", "fghij", ""}, wantTee: "abcde\nabcde\nfghij\n\n",
		},
		"empty lines are kept": {
			input:     []string{"\n\na\n"},
			wantLines: []string{"", "", "a"}, wantTee: "\n\na\n",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var tee strings.Builder
			r := New(Options{MaxLine: tc.maxLine, Tee: &tee})
			for _, s := range tc.input {
				if n, err := io.WriteString(r, s); n != len(s) || err != nil {
					t.Fatalf("Write = %d, %v", n, err)
				}
			}
			if tc.flush {
				r.Flush()
			}
			if diff := cmp.Diff(tc.wantLines, r.Lines(-1)); diff != "" {
				t.Errorf("Lines (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantTee, tee.String()); diff != "" {
				t.Errorf("tee (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLinesAreTheNewest(t *testing.T) {
	r := New(Options{MaxBytes: 4 * (lineOverhead + 3)})
	for i := 100; i < 200; i++ {
		fmt.Fprintf(r, "%d\n", i)
	}
	if diff := cmp.Diff([]string{"196", "197", "198", "199"}, r.Lines(-1)); diff != "" {
		t.Errorf("Lines(-1) (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"198", "199"}, r.Lines(2)); diff != "" {
		t.Errorf("Lines(2) (-want +got):\n%s", diff)
	}
	if got := r.Lines(0); len(got) != 0 {
		t.Errorf("Lines(0) = %q", got)
	}
}

func TestMatchSeesLaterCompleteLinesOnly(t *testing.T) {
	r := New(Options{})
	io.WriteString(r, "kernel initialized\n")
	lines, stop := r.Match(regexp.MustCompile(`kernel init`))
	io.WriteString(r, "kernel init")
	select {
	case line := <-lines:
		t.Fatalf("unfinished or earlier line %q matched", line)
	default:
	}
	io.WriteString(r, "ialized again\nsomething else\n")
	if got := <-lines; got != "kernel initialized again" {
		t.Errorf("matched %q", got)
	}
	for range 10 * matchBuffer { // a reader that is away does not block the console
		io.WriteString(r, "kernel initialized\n")
	}
	stop()
	stop()
	n := 0
	for range lines {
		n++
	}
	if n != matchBuffer {
		t.Errorf("%d lines were kept for the reader, want %d", n, matchBuffer)
	}
	io.WriteString(r, "kernel initialized\n") // must not panic
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestABrokenLogDoesNotStopTheConsole(t *testing.T) {
	r := New(Options{Tee: brokenWriter{}})
	if _, err := io.WriteString(r, "a\nb\n"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, r.Lines(-1)); diff != "" {
		t.Errorf("Lines (-want +got):\n%s", diff)
	}
}

func TestBoundsHoldForAnyInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts := Options{MaxBytes: rapid.IntRange(1, 300).Draw(t, "maxBytes"), MaxLine: rapid.IntRange(1, 40).Draw(t, "maxLine")}
		chunks := rapid.SliceOf(rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\n\n\x1b[]äx"))))).Draw(t, "chunks")
		whole, split := New(opts), New(opts)
		whole.Write([]byte(strings.Join(asStrings(chunks), "")))
		for _, c := range chunks {
			split.Write(c)
		}
		if diff := cmp.Diff(whole.Lines(-1), split.Lines(-1)); diff != "" {
			t.Fatalf("how the bytes are cut into writes matters (-whole +split):\n%s", diff)
		}
		size := 0
		for _, line := range split.lines {
			size += len(line.text) + lineOverhead
		}
		if size > opts.MaxBytes || size != split.size {
			t.Fatalf("holds %d bytes, counted %d, may hold %d", size, split.size, opts.MaxBytes)
		}
		for _, line := range split.Lines(-1) {
			// each invalid byte may become a replacement character of 3 bytes
			if len(line) > 3*opts.MaxLine || !utf8.ValidString(line) || strings.ContainsAny(line, "\x1b\n\r\x00") {
				t.Fatalf("bad line %q", line)
			}
		}
	})
}

func asStrings(chunks [][]byte) []string {
	out := make([]string, len(chunks))
	for i, c := range chunks {
		out[i] = string(c)
	}
	return out
}

func FuzzWrite(f *testing.F) {
	f.Add([]byte("Genode 26.02\n\x1b[34minit\x1b[0m\r\n\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := New(Options{MaxBytes: 1 << 10, MaxLine: 64})
		r.Write(in)
		r.Flush()
		for _, line := range r.Lines(-1) {
			if !utf8.ValidString(line) || strings.ContainsAny(line, "\x1b\n\r\x00\x7f") {
				t.Fatalf("bad line %q", line)
			}
		}
	})
}
