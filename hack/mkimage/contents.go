package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// contents maps paths in the image to what is there.
type contents map[string]entry

// entry is a file of this machine, a link, or an empty folder.
type entry struct {
	source string // "": a folder, or a link
	link   string
	mode   fs.FileMode
}

// add puts a file, a link or a folder at destination.
func (c contents) add(source, destination string) error {
	info, err := os.Lstat(source)
	if err != nil {
		return err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		link, err := os.Readlink(source)
		if err != nil {
			return err
		}
		c[destination] = entry{link: link, mode: 0o777}
	case info.IsDir():
		c[destination] = entry{mode: 0o755}
	case info.Mode().IsRegular():
		c[destination] = entry{source: source, mode: info.Mode().Perm() &^ 0o022}
	default:
		return fmt.Errorf("%s is neither a file nor a folder", source)
	}
	return nil
}

// file adds SOURCE=DESTINATION; links are followed.
func (c contents) file(v string) error {
	source, destination, ok := strings.Cut(v, "=")
	if !ok || !filepath.IsAbs(destination) {
		return fmt.Errorf("--file %s: give SOURCE=/DESTINATION", v)
	}
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	return c.add(source, destination)
}

// tree adds a folder with all that is in it.
func (c contents) tree(v string) error {
	source, destination, ok := strings.Cut(v, "=")
	if !ok {
		destination = source
	}
	if !filepath.IsAbs(destination) {
		return fmt.Errorf("--tree %s: give an absolute folder, or SOURCE=/DESTINATION", v)
	}
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return fmt.Errorf("--tree: %w", err)
	}
	return filepath.WalkDir(source, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		return c.add(path, filepath.Join(destination, below))
	})
}

// program adds a program or library, and the libraries that ldd says it needs, each at its usual path.
func (c contents) program(path string) error {
	if err := c.file(path + "=" + path); err != nil {
		return err
	}
	out, err := exec.Command("ldd", path).CombinedOutput()
	if err != nil {
		if bytes.Contains(out, []byte("not a dynamic executable")) {
			return nil
		}
		return fmt.Errorf("ldd %s: %w: %s", path, err, bytes.TrimSpace(out))
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if strings.Contains(lines.Text(), "not found") {
			return fmt.Errorf("%s needs a library that is not here: %s", path, strings.TrimSpace(lines.Text()))
		}
		for _, word := range strings.Fields(lines.Text()) {
			if !filepath.IsAbs(word) {
				continue
			}
			if err := c.file(word + "=" + word); err != nil {
				return err
			}
		}
	}
	return nil
}

// writable adds an empty folder like /tmp.
func (c contents) writable(path string) error {
	c[path] = entry{mode: 0o777 | fs.ModeSticky}
	return nil
}
