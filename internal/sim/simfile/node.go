package simfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// problems are the mistakes of a file.
type problems struct {
	found []error
	// spelled are the names that fields have in the file, where they have others in paths.
	spelled map[string]string
}

// mostProblems is how many mistakes of a file are told.
const mostProblems = 10

func (p *problems) add(path string, value any, remedy string) {
	if dot := strings.LastIndexByte(path, '.') + 1; p.spelled[path[dot:]] != "" {
		path = path[:dot] + p.spelled[path[dot:]]
	}
	if len(p.found) < mostProblems {
		p.found = append(p.found, fmt.Errorf("%w: %s: %s: %s", sim.ErrInvalid, path, shown(value), remedy))
	}
}

func (p *problems) err() error { return errors.Join(p.found...) }

// shown is a value in a message.
func shown(value any) string {
	const longest = 60
	var text string
	switch v := value.(type) {
	case nil:
		return "missing"
	case json.Number:
		text = v.String()
	case string:
		text = strconv.Quote(v)
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	default:
		text = fmt.Sprint(v)
	}
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// node is a value of a file at its path: nil when it is absent, else a bool, json.Number, string, []any or
// map[string]any.
type node struct {
	path  string
	value any
	*problems
}

func (n node) refuse(remedy string) { n.add(n.path, n.value, remedy) }

func (n node) absent() bool { return n.value == nil }

// field is a member of an object; the node must be one.
func (n node) field(name string) node {
	path := name
	if n.path != "" {
		path = n.path + "." + name
	}
	members, _ := n.value.(map[string]any)
	return node{path, members[name], n.problems}
}

// object reports whether the node is one, and refuses members that are not known.
func (n node) object(known ...string) bool {
	members, is := n.value.(map[string]any)
	if !is {
		n.refuse("must be an object")
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(known, name) {
			n.field(name).refuse("no such field here; use one of " + strings.Join(known, ", "))
		}
	}
	return true
}

// list gives the elements of a list; none if it is absent.
func (n node) list() []node {
	if n.absent() {
		return nil
	}
	values, is := n.value.([]any)
	if !is {
		n.refuse("must be a list")
	}
	elements := make([]node, len(values))
	for i, v := range values {
		elements[i] = node{fmt.Sprintf("%s[%d]", n.path, i), v, n.problems}
	}
	return elements
}

// text of a node; standard if it is absent.
func (n node) text(standard string) string {
	if n.absent() {
		return standard
	}
	text, is := n.value.(string)
	switch {
	case !is:
		n.refuse("must be text; put it in quotes")
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		n.refuse("has characters that cannot be printed; remove them")
	}
	return text
}

// flag is true or false; standard if it is absent.
func (n node) flag(standard bool) bool {
	if n.absent() {
		return standard
	}
	flag, is := n.value.(bool)
	if !is {
		n.refuse("must be true or false")
	}
	return flag
}

// choice of texts; the first one if it is absent.
func (n node) choice(of ...string) string {
	text := n.text(of[0])
	if _, is := n.value.(string); is && !slices.Contains(of, text) {
		n.refuse("use one of " + strings.Join(of, ", "))
		return of[0]
	}
	return text
}
