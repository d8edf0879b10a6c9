package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset/library"
)

// loaded is a campaign as somebody wrote it.
type loaded struct {
	name string
	spec v1alpha1.TaskSetSpec
}

// load reads a task-set of the library, or a file: a TaskSet, or its spec alone.
func load(taskset, file string, in io.Reader) (*loaded, error) {
	switch {
	case taskset != "" && file != "":
		return nil, errors.New("-t and -f: give one of them")
	case taskset == "" && file == "":
		return nil, errors.New("what shall be run? Name a task-set with -t (genodectl list -t lists them), or a file with -f")
	case taskset != "":
		ts, err := library.TaskSet(taskset)
		if err != nil {
			return nil, fmt.Errorf("-t: %w", err)
		}
		return &loaded{name: ts.Name, spec: ts.Spec}, nil
	}
	text, err := readFile(file, in)
	if err != nil {
		return nil, fmt.Errorf("-f: %w", err)
	}
	l, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("-f %s: %w", file, err)
	}
	if l.name == "" {
		l.name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	return l, nil
}

// longestFile bounds what is read, in bytes; the API server takes less.
const longestFile = 8 << 20

func readFile(file string, in io.Reader) ([]byte, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, longestFile+1))
	if err == nil && len(text) > longestFile {
		err = fmt.Errorf("%s has more than %d bytes", file, longestFile)
	}
	return text, err
}

// parse reads a TaskSet or a bare spec. Of several documents the only TaskSet counts.
func parse(text []byte) (*loaded, error) {
	var found *loaded
	for _, document := range bytes.Split(text, []byte("\n---")) {
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		var kind struct {
			Kind string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return nil, err
		}
		if kind.Kind != "" && kind.Kind != "TaskSet" {
			continue
		}
		one, err := parseOne(document, kind.Kind != "")
		if err != nil {
			return nil, err
		}
		if found != nil {
			return nil, errors.New("there are several task-sets in it; put each into a file of its own")
		}
		found = one
	}
	if found == nil {
		return nil, errors.New("there is no TaskSet in it")
	}
	return found, nil
}

func parseOne(document []byte, whole bool) (*loaded, error) {
	if !whole {
		var spec v1alpha1.TaskSetSpec
		if err := yaml.UnmarshalStrict(document, &spec); err != nil {
			return nil, err
		}
		return &loaded{spec: spec}, nil
	}
	var ts v1alpha1.TaskSet
	if err := yaml.UnmarshalStrict(document, &ts); err != nil {
		return nil, err
	}
	return &loaded{name: ts.Name, spec: ts.Spec}, nil
}
