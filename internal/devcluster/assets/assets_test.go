package assets

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFolderFromEnvironment(t *testing.T) {
	program, text := os.FileMode(0o755), os.FileMode(0o644)
	tests := map[string]struct {
		files map[string]os.FileMode
		want  string // part of the error; empty for none
	}{
		"all that envtest needs":  {map[string]os.FileMode{"etcd": program, "kube-apiserver": program, "kubectl": program}, ""},
		"one is missing":          {map[string]os.FileMode{"etcd": program, "kubectl": program}, "it holds no kube-apiserver"},
		"one cannot be run":       {map[string]os.FileMode{"etcd": text, "kube-apiserver": program, "kubectl": program}, "its etcd is not a program"},
		"nothing is in it at all": {nil, "it holds no etcd"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, mode := range tc.files {
				if err := os.WriteFile(filepath.Join(dir, file), nil, mode); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv(Env, dir)
			got, err := Ensure(t.Context(), nil)
			switch {
			case tc.want == "" && (err != nil || got != dir):
				t.Errorf("folder %s, error %v", got, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), Env)):
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestHashFollowsTheSources(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]string{}
	for i, change := range [][2]string{{"go.mod", "module a"}, {"go.sum", "x"}, {"a.go", "package main"}, {"b.go", ""}, {"go.mod", "module b"}} {
		if i == 0 {
			write("go.sum", "")
		}
		write(change[0], change[1])
		sum, err := hashSources(dir)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[sum]; ok {
			t.Errorf("%v gives the same hash as %s", change, before)
		}
		seen[sum] = change[0]
	}
	write("notes.txt", "not a source")
	if sum, err := hashSources(dir); err != nil || seen[sum] == "" {
		t.Errorf("a file that is no source changes the hash: %v", err)
	}
}

func TestTheLockIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "lock")
	unlock, err := lock(t.Context(), path, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var told bytes.Buffer
	if _, err := lock(short, path, &told); err == nil {
		t.Fatal("it was locked twice")
	}
	if !strings.Contains(told.String(), "waiting") {
		t.Errorf("whoever waits is told %q", told.String())
	}
	unlock()
	unlock, err = lock(t.Context(), path, &told)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestMeterCountsWhatGoBuildPrints(t *testing.T) {
	m := newMeter(&bytes.Buffer{})
	output := "go: downloading k8s.io/api v0.37.2\ninternal/abi\nk8s.io/api/core/v1\n# k8s.io/bad\n./a.go:1:2: wrong\ngo: downloading x v1\nunfinis"
	for _, b := range []byte(output) { // in the worst of pieces
		if _, err := fmt.Fprintf(m, "%c", b); err != nil {
			t.Fatal(err)
		}
	}
	if m.compiled != 2 || m.downloads != 2 {
		t.Errorf("%d packages and %d downloads, want 2 and 2", m.compiled, m.downloads)
	}
}

func TestDescribe(t *testing.T) {
	tests := map[string]struct {
		compiled, of int
		bar          bool
		want         string
	}{
		"before the number is known": {0, 0, false, "  compiling packages: 3, 5s"},
		"a line":                     {10, 100, false, "  compiling packages: 10 of 100, 5s"},
		"a bar":                      {50, 100, true, "  [===============               ] 50 of 100 packages, 5s"},
		"the linker":                 {99, 100, true, "  linking, 5s"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := describe("compiling packages", 3, tc.compiled, tc.of, "5s", tc.bar); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAFailedBuildIsExplained(t *testing.T) {
	err := explain(context.Background(), "go build", os.ErrInvalid, "k8s.io/api\n# k8s.io/bad\n./a.go:1:2: wrong\n")
	if err == nil || strings.Contains(err.Error(), "k8s.io/api\n") || !strings.Contains(err.Error(), "./a.go:1:2: wrong") {
		t.Errorf("error %v", err)
	}
}

func TestTheRepositoryIsFound(t *testing.T) {
	root, err := RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "hack", "kubebox", "go.mod")); err != nil {
		t.Error(err)
	}
	t.Chdir(t.TempDir())
	if _, err := RepoRoot(); err == nil {
		t.Error("a repository is found where there is none")
	}
}
