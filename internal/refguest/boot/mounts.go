//go:build linux

package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	jobDir     = "/jobs" // binaries and configs of jobs, on the root file system (memory)
	cgroupRoot = "/sys/fs/cgroup"
	modulesDir = "/lib/modules"
)

func mounts() error {
	var errs []error
	for _, m := range []struct{ kind, at string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"cgroup2", cgroupRoot},
	} {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			errs = append(errs, err)
		}
		if err := unix.Mount(m.kind, m.at, m.kind, unix.MS_NOSUID|unix.MS_NOEXEC, ""); err != nil && !errors.Is(err, unix.EBUSY) {
			errs = append(errs, fmt.Errorf("mount %s on %s: %w", m.kind, m.at, err))
		}
	}
	return errors.Join(append(errs, os.MkdirAll(jobDir, 0o700))...)
}

// jobsGroup makes the cgroup whose children limit the memory of jobs.
func jobsGroup() (string, error) {
	group := filepath.Join(cgroupRoot, "jobs")
	if err := os.MkdirAll(group, 0o755); err != nil {
		return "", err
	}
	for _, at := range []string{cgroupRoot, group} {
		if err := os.WriteFile(filepath.Join(at, "cgroup.subtree_control"), []byte("+memory"), 0o644); err != nil {
			return "", fmt.Errorf("switch on the memory controller: %w", err)
		}
	}
	return group, nil
}

// loadModules loads what the file "order" lists, one name a line, in this order. A module that
// cannot be loaded (no such device, built in) does not keep the others back.
func loadModules() error {
	order, err := os.ReadFile(filepath.Join(modulesDir, "order"))
	if err != nil {
		return fmt.Errorf("read list of modules: %w", err)
	}
	var errs []error
	for _, name := range strings.Fields(string(order)) {
		if err := loadModule(filepath.Join(modulesDir, name)); err != nil && !errors.Is(err, unix.EEXIST) {
			errs = append(errs, fmt.Errorf("load module %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), "", 0)
}
