package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// metaPackage depends on the newest cloud kernel of the distribution.
const metaPackage = "linux-image-cloud-amd64"

// moduleOrder is what the guest loads, in this order: each needs those before it. pvpanic lets QEMU
// hear of a panic where it has the device; without it the module rests.
var moduleOrder = []string{
	"virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
	"failover", "net_failover", "virtio_net",
}

type kernelPackage struct {
	name string
	file string // with version and architecture
}

type parts struct {
	kernel  []byte
	modules map[string][]byte // by name, without .ko
}

// findKernel asks apt which kernel would be downloaded. dir is empty: apt-get keeps silent about files
// that are in the present folder already.
func findKernel(ctx context.Context, dir string) (kernelPackage, error) {
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return kernelPackage{}, fmt.Errorf("%s is missing: the image is built from Debian packages, on Debian or Ubuntu", tool)
		}
	}
	depends, err := run(ctx, "", "apt-cache", "depends", metaPackage)
	name := dependency(depends)
	if err != nil || name == "" {
		return kernelPackage{}, errors.Join(fmt.Errorf("no package %s is known: run apt-get update (as root)", metaPackage), err)
	}
	uris, err := run(ctx, dir, "apt-get", "download", "--print-uris", name)
	file := uriFile(uris)
	if err != nil || file == "" {
		return kernelPackage{}, errors.Join(fmt.Errorf("package %s cannot be downloaded: run apt-get update (as root)", name), err)
	}
	return kernelPackage{name: name, file: file}, nil
}

// dependency picks the first kernel out of apt-cache's answer.
func dependency(depends string) string {
	for _, line := range strings.Split(depends, "\n") {
		if _, name, ok := strings.Cut(line, "Depends: "); ok && strings.HasPrefix(name, "linux-image") {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

// uriFile picks the file name out of apt-get's answer: 'uri' file size hash.
func uriFile(uris string) string {
	for _, line := range strings.Split(uris, "\n") {
		if fields := strings.Fields(line); len(fields) >= 3 && strings.HasSuffix(fields[1], ".deb") {
			return fields[1]
		}
	}
	return ""
}

func (k kernelPackage) download(ctx context.Context, dir string) error {
	if _, err := run(ctx, dir, "apt-get", "download", k.name); err != nil {
		return fmt.Errorf("download %s: if the file is gone from the mirror, run apt-get update (as root): %w", k.file, err)
	}
	return nil
}

func (k kernelPackage) extract(ctx context.Context, dir string) (parts, error) {
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) != 1 {
		return parts{}, fmt.Errorf("apt-get left %d packages in %s, want 1", len(debs), dir)
	}
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", debs[0])
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return parts{}, err
	}
	if err := cmd.Start(); err != nil {
		return parts{}, fmt.Errorf("run dpkg-deb: %w", err)
	}
	p, err := pick(out)
	_, drainErr := io.Copy(io.Discard, out)
	if waitErr := cmd.Wait(); waitErr != nil {
		err = errors.Join(err, fmt.Errorf("dpkg-deb: %w: %s", waitErr, stderr.String()))
	}
	return p, errors.Join(err, drainErr)
}

// pick reads kernel and modules from a kernel package's files.
func pick(r io.Reader) (parts, error) {
	p := parts{modules: map[string][]byte{}}
	wanted := map[string]bool{}
	for _, m := range moduleOrder {
		wanted[m] = true
	}
	files := tar.NewReader(r)
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return p, fmt.Errorf("read kernel package: %w", err)
		}
		base := path.Base(h.Name)
		module, isModule := strings.CutSuffix(base, ".ko")
		switch {
		case strings.HasPrefix(base, "vmlinuz-"):
			p.kernel, err = io.ReadAll(files)
		case isModule && wanted[module]:
			p.modules[module], err = io.ReadAll(files)
		}
		if err != nil {
			return p, fmt.Errorf("read %s from the kernel package: %w", h.Name, err)
		}
	}
	if p.kernel == nil {
		return p, errors.New("the kernel package holds no vmlinuz")
	}
	if p.modules["virtio_net"] == nil {
		return p, errors.New("the kernel package holds no module virtio_net.ko (compressed modules are not read)")
	}
	return p, nil
}

func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
