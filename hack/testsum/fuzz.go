package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Target is a fuzz target: a function FuzzXxx of the package in a folder.
type Target struct {
	Folder string // as "./internal/x"
	Name   string
}

// fuzz runs every fuzz target below root for the given time each. It is an error when there is none: then
// the search is wrong.
func fuzz(ctx context.Context, root string, length time.Duration) (Part, error) {
	targets, err := findTargets(root)
	if err != nil {
		return Part{}, err
	}
	if len(targets) == 0 {
		return Part{}, fmt.Errorf("no fuzz target found below %s", root)
	}
	started := time.Now()
	part := Part{Name: "fuzz"}
	for i, target := range targets {
		fmt.Fprintf(os.Stdout, "fuzz %d/%d: %s %s for %s\n", i+1, len(targets), target.Folder, target.Name, length)
		tally := NewTally()
		args := []string{"-run", "^$", "-fuzz", "^" + target.Name + "$", "-fuzztime", length.String(), target.Folder}
		err := goTest(ctx, args, tally, newProgress(os.Stderr, 1))
		if err != nil && len(tally.Failures) == 0 && tally.Forgiven == 0 {
			tally.Failures = []string{fmt.Sprintf("%s %s: %v", target.Folder, target.Name, err)}
		}
		part.Passed += tally.Passed
		part.Failures = append(part.Failures, tally.Failures...)
		part.Skips = append(part.Skips, tally.Skips...)
		if ctx.Err() != nil {
			return Part{}, errors.New("interrupted")
		}
	}
	part.Seconds = time.Since(started).Seconds()
	part.OK = len(part.Failures) == 0
	part.print(os.Stdout)
	return part, nil
}

// findTargets finds the fuzz targets of the module at root; nested modules, hidden folders and testdata are
// left out, as "go test ./..." does.
func findTargets(root string) ([]Target, error) {
	var targets []Target
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && leftOut(path) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		names, err := fuzzFunctions(path)
		for _, name := range names {
			targets = append(targets, Target{"./" + filepath.ToSlash(filepath.Dir(path)), name})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for fuzz targets: %w", err)
	}
	return targets, nil
}

func leftOut(folder string) bool {
	name := filepath.Base(folder)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" {
		return true
	}
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

// fuzzFunctions returns the functions FuzzXxx of a test file.
func fuzzFunctions(path string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	var names []string
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Fuzz") && len(f.Type.Params.List) == 1 {
			names = append(names, f.Name.Name)
		}
	}
	return names, nil
}
