// Mkimage makes a container image from files of this machine, without an engine, a registry or a base image:
//
//	mkimage --tag localhost/runner:dev --out runner.tar --entrypoint /agent \
//	    --file bin/agent=/agent --program /usr/bin/qemu-system-x86_64 --tree /usr/share/qemu
//
// A --program is put where it is on this machine, with the shared libraries that it needs. The archive is one
// that "docker load", "podman load" and "ctr images import" read. The same files give the same bytes. The
// digest of the image is printed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mkimage:", err)
		os.Exit(1)
	}
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func run(args []string) error {
	var files, programs, trees, entrypoint, folders list
	f := flag.NewFlagSet("mkimage", flag.ContinueOnError)
	tag := f.String("tag", "", "NAME:TAG of the image (required)")
	out := f.String("out", "", "archive to write (required)")
	user := f.String("user", "65534:65534", "user and group that the image runs as, as numbers")
	f.Var(&entrypoint, "entrypoint", "word of the entrypoint; may be given several times")
	f.Var(&files, "file", "SOURCE=DESTINATION; may be given several times")
	f.Var(&programs, "program", "program or library of this machine, taken with the libraries that it needs; may be given several times")
	f.Var(&trees, "tree", "folder taken as it is, to where it is on this machine or, as SOURCE=DESTINATION, elsewhere; may be given several times")
	f.Var(&folders, "writable", "empty folder that everybody may write to; may be given several times")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *tag == "" || *out == "" || f.NArg() > 0 {
		return errors.New("--tag and --out are required, and there are no arguments besides flags")
	}
	c := contents{}
	for _, add := range []struct {
		what list
		how  func(string) error
	}{{files, c.file}, {trees, c.tree}, {programs, c.program}, {folders, c.writable}} {
		for _, v := range add.what {
			if err := add.how(v); err != nil {
				return err
			}
		}
	}
	digest, err := write(*out, *tag, *user, entrypoint, c)
	if err != nil {
		return fmt.Errorf("write %s: %w", *out, err)
	}
	fmt.Println(*tag, digest)
	return nil
}
