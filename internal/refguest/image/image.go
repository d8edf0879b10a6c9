package image

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"
)

// Names of the files in the output folder.
const (
	KernelFile = "vmlinuz"
	InitrdFile = "initrd.gz"
	stampFile  = "stamp"
)

// Options say what to build.
type Options struct {
	Out    string      // folder for the result; made when missing
	Binary string      // static refguest for the guest's machine, here x86-64
	Log    logr.Logger // what is going on
}

// Build makes the image and returns whether there was anything to do. The files are replaced
// atomically, the stamp last, so an interrupted build is done again.
func Build(ctx context.Context, o Options) (built bool, err error) {
	init, err := os.ReadFile(o.Binary)
	if err != nil {
		return false, fmt.Errorf("read the guest's binary: %w", err)
	}
	if err := checkStatic(o.Binary); err != nil {
		return false, err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return false, fmt.Errorf("make the output folder: %w", err)
	}
	tmp, err := os.MkdirTemp(o.Out, ".build-")
	if err != nil {
		return false, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	binary := fmt.Sprintf("layout 1\nbinary %x\n", sha256.Sum256(init))
	pkg, err := findKernel(ctx, tmp)
	if err != nil && holds(o.Out, binary) {
		o.Log.Info("Keeping the image, whether its kernel is the newest is not known", "reason", err.Error())
		return false, nil
	}
	if err != nil {
		return false, err
	}
	stamp := binary + "kernel " + pkg.file + "\n"
	if upToDate(o.Out, stamp) {
		o.Log.Info("The image is up to date", "folder", o.Out)
		return false, nil
	}
	o.Log.Info("Downloading the kernel", "package", pkg.file)
	if err := pkg.download(ctx, tmp); err != nil {
		return false, err
	}
	parts, err := pkg.extract(ctx, tmp)
	if err != nil {
		return false, err
	}
	o.Log.Info("Writing the image", "folder", o.Out, "modules", len(parts.modules))
	return true, write(o.Out, tmp, stamp, parts, init)
}

func upToDate(out, stamp string) bool {
	have, err := os.ReadFile(filepath.Join(out, stampFile))
	return err == nil && string(have) == stamp && holds(out, stamp)
}

// holds reports whether there is an image whose stamp begins like this.
func holds(out, begin string) bool {
	have, err := os.ReadFile(filepath.Join(out, stampFile))
	if err != nil || !strings.HasPrefix(string(have), begin) {
		return false
	}
	for _, f := range []string{KernelFile, InitrdFile} {
		if _, err := os.Stat(filepath.Join(out, f)); err != nil {
			return false
		}
	}
	return true
}

func write(out, tmp, stamp string, parts parts, init []byte) error {
	initrd, err := archive(parts.modules, init)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(out, stampFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the old stamp: %w", err)
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{{KernelFile, parts.kernel}, {InitrdFile, initrd}, {stampFile, []byte(stamp)}} {
		path := filepath.Join(tmp, f.name)
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", f.name, err)
		}
		if err := os.Rename(path, filepath.Join(out, f.name)); err != nil {
			return fmt.Errorf("move %s to its place: %w", f.name, err)
		}
	}
	return nil
}

// checkStatic refuses binaries that need a dynamic loader: there is none in the guest.
func checkStatic(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("the guest's binary %s: %w", path, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if f.Machine != elf.EM_X86_64 {
		return fmt.Errorf("the guest's binary %s is for %s, the kernel for x86-64: build it with GOARCH=amd64", path, f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("the guest's binary %s is linked dynamically: build it with CGO_ENABLED=0", path)
		}
	}
	return nil
}
