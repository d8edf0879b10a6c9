package library

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// module is one file with blocks.
type module struct {
	blocks map[string]template // by the second part of their names
	err    error               // why the file cannot be read
}

// template is a block before its argument is put in.
type template struct {
	Description  string          `json:"description"`
	Argument     string          `json:"argument"`
	Alternatives json.RawMessage `json:"alternatives"`
}

func readModules(files fs.FS) map[string]module {
	modules := map[string]module{}
	found, err := fs.Glob(files, "blocks/*.yaml")
	if err != nil { // the pattern is fixed: cannot happen
		return modules
	}
	for _, file := range found {
		var m module
		text, err := fs.ReadFile(files, file)
		if err == nil {
			err = yaml.UnmarshalStrict(text, &m.blocks)
		}
		if err != nil {
			m = module{err: fmt.Errorf("read %s of the library: %w", file, err)}
		}
		modules[strings.TrimSuffix(path.Base(file), ".yaml")] = m
	}
	return modules
}

// Blocks is like the function of that name. A file that cannot be read is listed by its module's name.
func (l *Library) Blocks() []Entry {
	var all []Entry
	for name, m := range l.modules() {
		if m.err != nil {
			all = append(all, Entry{Name: name, Err: m.err})
		}
		for block, t := range m.blocks {
			e := Entry{Name: name + "." + block, Description: t.Description, Argument: t.Argument}
			_, e.Err = t.expand(1)
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Alternatives is like the function of that name.
func (l *Library) Alternatives(name string, argument *int64) ([]v1alpha1.Block, error) {
	moduleName, block, _ := strings.Cut(name, ".")
	m := l.modules()[moduleName]
	if m.err != nil {
		return nil, fmt.Errorf("use: %q: %w", name, m.err)
	}
	t, known := m.blocks[block]
	switch {
	case !known:
		return nil, fmt.Errorf("use: %w", unknown("block", name, names(l.Blocks())))
	case t.Argument != "" && argument == nil:
		return nil, fmt.Errorf("argument: %s needs one: %s", name, t.Argument)
	case t.Argument == "" && argument != nil:
		return nil, fmt.Errorf("argument: %d: %s has none; remove it", *argument, name)
	}
	var value int64
	if argument != nil {
		value = *argument
	}
	blocks, err := t.expand(value)
	if err != nil {
		return nil, fmt.Errorf("use: %q: %w", name, err)
	}
	return blocks, nil
}

// expand puts the argument in.
func (t template) expand(argument int64) ([]v1alpha1.Block, error) {
	d := json.NewDecoder(bytes.NewReader(t.Alternatives))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("read its alternatives: %w", err)
	}
	text, err := json.Marshal(substitute(tree, argument))
	if err != nil {
		return nil, fmt.Errorf("write its alternatives: %w", err)
	}
	var blocks []v1alpha1.Block
	d = json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&blocks); err != nil {
		return nil, fmt.Errorf("read its alternatives: %w", err)
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("it has no alternatives")
	}
	return blocks, nil
}

// substitute replaces the texts that stand for the argument in a JSON document.
func substitute(node any, argument int64) any {
	switch value := node.(type) {
	case map[string]any:
		for key, child := range value {
			value[key] = substitute(child, argument)
		}
	case []any:
		for i, child := range value {
			value[i] = substitute(child, argument)
		}
	case string:
		switch value {
		case "$argument":
			return json.Number(strconv.FormatInt(argument, 10))
		case "$argument-1":
			return json.Number(strconv.FormatInt(argument-1, 10))
		}
	}
	return node
}
