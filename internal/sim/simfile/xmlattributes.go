package simfile

import (
	"encoding/json"
	"strings"
)

// attributes of an element: numbers, truth values, lists of numbers, and texts.
func (x *importer) attributes(at string, e *element, names map[string]string) map[string]any {
	members, seen := map[string]any{}, map[string]bool{}
	for _, a := range e.Attrs {
		name, text := a.Name.Local, strings.TrimSpace(a.Value)
		if seen[name] {
			x.add(at+"."+name, text, "is there twice; remove one")
		}
		seen[name] = true
		if other, is := names[name]; is {
			name = other
		}
		if value := valueOf(name, text); value != nil && members[name] == nil {
			members[name] = value
		}
	}
	return members
}

// valueOf is the value of an attribute; nil if it is empty.
func valueOf(name, text string) any {
	switch {
	case text == "":
		return nil
	case name == "list_activation_dates":
		list := []any{}
		for _, number := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("[], ", r) }) {
			list = append(list, valueOf("", number))
		}
		return list
	case name == "name":
		return text
	case name == "abort_on_miss" || name == "use_wcet":
		return truth(text)
	case isNumber(text):
		return json.Number(text)
	}
	return text
}

// truth is what SimSo writes for true and false.
func truth(text string) any {
	switch strings.ToLower(text) {
	case "yes", "true", "1":
		return true
	case "no", "false", "0":
		return false
	}
	return text
}
