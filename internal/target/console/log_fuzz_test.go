package console

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzSplit(f *testing.F) {
	f.Add("init -> nic", "Warning: a\nb\x1b[31m\xff")
	f.Fuzz(func(t *testing.T, label, text string) {
		for _, line := range Split(label, text) {
			if !utf8.ValidString(line) || strings.ContainsAny(line, "\x1b\n\r\x00\x7f") {
				t.Fatalf("bad line %q", line)
			}
			e := parse(line)
			if whole := "[" + e.Label + "] " + e.Text; e.Label != "" && whole != line || e.Label == "" && e.Text != line {
				t.Fatalf("%q was taken apart into %+v", line, e)
			}
			if got := strings.Map(printable, label); got != "" && !isStamp(got) && e.Label != got {
				t.Fatalf("label %q became %q in %q", got, e.Label, line)
			}
		}
	})
}
