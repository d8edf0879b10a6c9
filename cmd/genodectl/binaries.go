package main

import (
	"crypto/sha256"
	"fmt"
	"os"

	"github.com/genode-operator/genode-operator/internal/session"
)

// campaignBinaries are binaries by pkg.
type campaignBinaries = map[string]session.Binary

// placeholders stand for the binaries of a dry run, which sends none: each is its own name.
func placeholders(pkgs []string) campaignBinaries {
	all := campaignBinaries{}
	for _, pkg := range pkgs {
		content := []byte(pkg)
		all[pkg] = session.Binary{Name: pkg, Content: content, SHA256: sha256.Sum256(content)}
	}
	return all
}

func errorLine(prefix, args string) { fmt.Fprintln(os.Stderr, prefix, args) }
