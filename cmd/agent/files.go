package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// mounted matches paths inside the volumes that the operator mounts for sources outside the runner image.
var mounted = regexp.MustCompile(`^/sources/[^/]+/`)

// checkFiles looks for every file that the flags name before anything is started.
func (o *options) checkFiles() error {
	for _, f := range []struct {
		name string
		path *string
	}{{"kernel", &o.boot.Kernel}, {"initrd", &o.boot.Initrd}, {"iso", &o.boot.ISO}, {"disk", &o.boot.Disk}} {
		if *f.path == "" {
			continue
		}
		if err := checkPath("spec.qemu.boot."+f.name+".path", *f.path, false); err != nil {
			return err
		}
		absolute, err := filepath.Abs(*f.path) // QEMU runs in another folder
		if err != nil {
			return fmt.Errorf("--%s: %w", f.name, err)
		}
		*f.path = absolute
	}
	if o.binaries == defaultBinaries {
		return nil // a runner image need not have any
	}
	return checkPath("spec.qemu.binaries.path", o.binaries, true)
}

// checkPath returns an error that names the field of the TargetSession when there is no such file.
func checkPath(field, path string, folder bool) error {
	shown, where := path, "in the runner image"
	if prefix := mounted.FindString(path); prefix != "" {
		shown, where = path[len(prefix):], "in the image, claim or ConfigMap that it names"
	}
	kind := "file"
	if folder {
		kind = "folder"
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return configError{fmt.Errorf("%s %q: no such %s %s", field, shown, kind, where)}
	case err != nil:
		return configError{fmt.Errorf("%s %q: %w", field, shown, err)}
	case info.IsDir() != folder:
		return configError{fmt.Errorf("%s %q: this is not a %s", field, shown, kind)}
	case folder:
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return configError{fmt.Errorf("%s %q: the file cannot be read: %w", field, shown, err)}
	}
	return f.Close()
}
