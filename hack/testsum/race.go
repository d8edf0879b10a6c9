package main

import "strings"

// onlyTimeWasOver recognises a fuzz target that Go's coordinator calls failed although it has found nothing: when
// the time given by -fuzztime ends, the coordinator may see that its own context has ended before its workers' has,
// and takes the one for an error of the other (https://golang.org/issue/75804). A finding is something else: it
// says what is wrong, and where its input was written.
func onlyTimeWasOver(test, output string) bool {
	if !strings.HasPrefix(test, "Fuzz") {
		return false
	}
	over := false
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "    context deadline exceeded":
			over = true
		case line == "", line == "FAIL", strings.HasPrefix(line, "=== RUN "), strings.HasPrefix(line, "--- FAIL: "+test+" "), strings.HasPrefix(line, "fuzz: elapsed: "):
		default:
			return false
		}
	}
	return over
}
