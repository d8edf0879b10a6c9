// Package assets finds or builds the programs of the development cluster: etcd, kube-apiserver,
// kubectl and the rest, which are one binary (hack/kubebox) under several names.
//
//	KUBEBUILDER_ASSETS set ──► checked, and used as it is
//	otherwise ──► <repository>/.cache/kubebox/<hash of the sources>, built once
//
// The first build compiles Kubernetes from its Go modules: 8 to 15 minutes on two cores. Later
// ones find it done. Development, demonstration and tests only.
package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Env names the folder of ready-made programs, as envtest does.
const Env = "KUBEBUILDER_ASSETS"

// Binary is the name of the binary to which all the others are links.
const Binary = "kubebox"

// Version is the version of Kubernetes that is built; it agrees with hack/kubebox/go.mod.
const Version = "v1.37.2"

// required are the programs envtest needs; a folder without them is of no use.
var required = []string{"etcd", "kube-apiserver", "kubectl"}

// links are the names under which the built binary is found in its folder.
var links = []string{"etcd", "kube-apiserver", "kubectl", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"}

// Ensure returns a folder that holds at least etcd, kube-apiserver and kubectl. It takes the one
// named by KUBEBUILDER_ASSETS, else the one built before, else it builds it, and then tells
// progress what it does and how far it is. Callers in other processes wait for the build instead
// of starting another. A nil progress is silent.
func Ensure(ctx context.Context, progress io.Writer) (string, error) {
	if dir := os.Getenv(Env); dir != "" {
		if err := check(dir); err != nil {
			return "", fmt.Errorf("%s=%s: %w; correct it, or unset it to have the programs built", Env, dir, err)
		}
		return dir, nil
	}
	return EnsureKubebox(ctx, progress)
}

// EnsureKubebox is Ensure without a look at KUBEBUILDER_ASSETS: the whole control plane in one
// process ("kubebox server") is only in the binary that is built here.
func EnsureKubebox(ctx context.Context, progress io.Writer) (string, error) {
	if progress == nil {
		progress = io.Discard
	}
	root, err := RepoRoot()
	if err != nil {
		return "", err
	}
	b, err := newBuild(root)
	if err != nil {
		return "", err
	}
	if check(b.dir) == nil {
		return b.dir, nil
	}
	unlock, err := lock(ctx, filepath.Join(filepath.Dir(b.dir), "lock"), progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if check(b.dir) == nil { // whoever held the lock has built it
		return b.dir, nil
	}
	if err := b.run(ctx, progress); err != nil {
		return "", err
	}
	return b.dir, nil
}

// RepoRoot is the top folder of this repository: the nearest one above the working directory
// whose go.mod is the operator's. Tests run in their package's folder, so they find it too.
func RepoRoot() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		if b, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && isOurs(string(b)) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder above %s is the genode-operator repository; run this inside a clone of it", wd)
		}
	}
}

func isOurs(goMod string) bool {
	for line := range strings.Lines(goMod) {
		if strings.TrimSpace(line) == "module github.com/genode-operator/genode-operator" {
			return true
		}
	}
	return false
}

// check says what is missing in a folder of programs.
func check(dir string) error {
	var errs []error
	for _, name := range required {
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("it holds no %s", name))
		case info.IsDir() || info.Mode()&0o111 == 0:
			errs = append(errs, fmt.Errorf("its %s is not a program", name))
		}
	}
	return errors.Join(errs...)
}
