package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The jobs of a record are one value of the store, a JSON array with an array for each job:
//
//	[["hello",1,10,25,"EXIT"],["load",1,null,30,"EXIT_CRITICAL",8]]
//	   task, number, start, end, outcome, release if it is known
//
// One row for each attempt is what makes writing and reading fast; the view "jobs" has a row for each job.

// jobsText writes jobs as the store keeps them.
func jobsText(jobs []Job) string {
	out := make([]byte, 0, 2+40*len(jobs))
	out = append(out, '[')
	for i, j := range jobs {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendText(append(out, '['), j.Task)
		out = strconv.AppendInt(append(out, ','), int64(j.Number), 10)
		out = appendStamp(append(out, ','), j.Start)
		out = appendStamp(append(out, ','), j.End)
		out = appendText(append(out, ','), j.Outcome)
		if j.Released != nil {
			out = appendStamp(append(out, ','), j.Released)
		}
		out = append(out, ']')
	}
	return string(append(out, ']'))
}

func appendStamp(out []byte, ms *int64) []byte {
	if ms == nil {
		return append(out, "null"...)
	}
	return strconv.AppendInt(out, *ms, 10)
}

func appendText(out []byte, s string) []byte {
	if plain(s) {
		return append(append(append(out, '"'), s...), '"')
	}
	text, err := json.Marshal(s)
	if err != nil { // a string: cannot happen
		return append(out, `""`...)
	}
	return append(out, text...)
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// jobsOf reads what jobsText has written; names holds the strings that it has met before.
func jobsOf(text string, names names) ([]Job, error) {
	if text == "[]" {
		return nil, nil
	}
	s := scanner{rest: text, names: names}
	jobs := make([]Job, 0, strings.Count(text, "],")+1)
	for s.take("["); !s.odd; s.take(",") {
		s.take("[")
		j := Job{Task: s.text(), Number: int32(s.number())}
		j.Start, j.End, j.Outcome = s.stamp(), s.stamp(), s.text()
		if s.more {
			j.Released = s.stamp()
		}
		jobs = append(jobs, j)
		if s.rest == "]" && !s.odd {
			return jobs, nil
		}
	}
	return anyJobsOf(text)
}

// scanner reads JSON without escapes and blanks, which is nearly all that there is; odd says that it met others.
type scanner struct {
	rest  string
	odd   bool
	more  bool // an element follows the newest one
	names names
}

func (s *scanner) take(what string) {
	after, found := strings.CutPrefix(s.rest, what)
	s.rest, s.odd = after, s.odd || !found
}

// element cuts what goes until the next comma or the end of the array.
func (s *scanner) element() string {
	end := strings.IndexAny(s.rest, ",]")
	if end < 0 {
		s.odd = true
		return ""
	}
	value := s.rest[:end]
	s.more = s.rest[end] == ','
	s.rest = s.rest[end+1:]
	return value
}

func (s *scanner) text() string {
	s.take(`"`)
	end := strings.IndexAny(s.rest, `"\`)
	if end < 0 || s.rest[end] == '\\' {
		s.odd = true
		return ""
	}
	value := s.rest[:end]
	s.rest = s.rest[end+1:]
	if s.element() != "" {
		s.odd = true
	}
	return s.names.of(value)
}

func (s *scanner) number() int64 {
	n, err := strconv.ParseInt(s.element(), 10, 64)
	s.odd = s.odd || err != nil
	return n
}

func (s *scanner) stamp() *int64 {
	if after, none := strings.CutPrefix(s.rest, "null,"); none {
		s.rest = after
		return nil
	}
	ms := s.number()
	return &ms
}

// names keeps one copy of each of the few strings that all records have in common.
type names map[string]string

const maxNames = 4096

func (n names) of(s string) string {
	if known, there := n[s]; there {
		return known
	}
	if len(n) < maxNames {
		s = strings.Clone(s)
		n[s] = s
	}
	return s
}

// anyJobsOf reads the same in any spelling.
func anyJobsOf(text string) ([]Job, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	var rows [][]json.RawMessage
	if err := d.Decode(&rows); err != nil {
		return nil, fmt.Errorf("jobs %.60q: %w", text, err)
	}
	jobs := make([]Job, len(rows))
	for i, row := range rows {
		j := &jobs[i]
		fields := []any{&j.Task, &j.Number, &j.Start, &j.End, &j.Outcome, &j.Released}
		if len(row) != len(fields) && len(row) != len(fields)-1 {
			return nil, fmt.Errorf("job %d of %.60q has %d elements, want %d or %d", i, text, len(row), len(fields)-1, len(fields))
		}
		for k := range row {
			if err := json.Unmarshal(row[k], fields[k]); err != nil {
				return nil, fmt.Errorf("job %d of %.60q: %w", i, text, err)
			}
		}
	}
	return jobs, nil
}
