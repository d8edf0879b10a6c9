package simfile

import "bytes"

// Format is what a file holds.
type Format string

// Formats.
const (
	XML     Format = "XML"     // SimSo's model
	SimSo   Format = "SimSo"   // a recorded run, or its input
	TaskSet Format = "TaskSet" // of the API, or its spec
	System  Format = "System"  // of this package
)

// Detect says what a file holds, by what is only in one of the formats.
func Detect(text []byte) Format {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
		return XML
	}
	root, err := decodeAny(text)
	if err != nil {
		if bytes.Contains(text, []byte("kind: TaskSet")) { // several documents
			return TaskSet
		}
		return System
	}
	has := func(n node, names ...string) bool {
		for _, name := range names {
			if !n.member(name).absent() {
				return true
			}
		}
		return false
	}
	first := node{problems: &problems{}}
	tasks, _ := root.member("tasks").value.([]any)
	if len(tasks) > 0 {
		first.value = tasks[0]
	}
	switch {
	case has(root, "kind", "apiVersion", "spec", "blocks", "generator", "completion", "targets") || has(first, "pkg"):
		return TaskSet
	case has(root, "input", "duration_ms", "cycles_per_ms") || has(first, "identifier"):
		return SimSo
	}
	return System
}

// Read reads a file that holds a system: XML, SimSo or System. Times are nanoseconds.
func Read(text []byte) (*File, error) {
	switch Detect(text) {
	case XML:
		return ParseXML(text)
	case SimSo:
		return ParseSimSo(text)
	}
	return Parse(text)
}
