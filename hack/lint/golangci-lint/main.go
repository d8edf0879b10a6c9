// Command golangci-lint is golangci-lint with kube-api-linter linked in.
//
// `golangci-lint custom` clones the repository of golangci-lint; linking both as ordinary modules
// needs nothing but the module proxy, and go.sum pins what runs.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"

	_ "sigs.k8s.io/kube-api-linter" // registers the linter "kubeapilinter"
)

// golangciModule is the module whose version this program reports as its own.
const golangciModule = "github.com/golangci/golangci-lint/v2"

func main() {
	info := commands.BuildInfo{
		GoVersion: runtime.Version(),
		Version:   linkedVersion(),
		Commit:    "module",
		Date:      "unknown",
	}
	if err := commands.Execute(info); err != nil {
		fmt.Fprintf(os.Stderr, "golangci-lint: %v\n", err)
		os.Exit(exitcodes.Failure)
	}
}

// linkedVersion is the version of golangci-lint that this program was linked with, without the "v".
func linkedVersion() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dep := range build.Deps {
		if dep.Path == golangciModule {
			return strings.TrimPrefix(dep.Version, "v")
		}
	}
	return "unknown"
}
