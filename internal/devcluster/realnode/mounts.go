package realnode

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// wishes are settings of the whole machine that the kubelet insists on. It finds them as it wants them, in
// files of the node's own, so that the machine stays as it is.
var wishes = map[string]string{
	"/proc/sys/vm/overcommit_memory":      "1",
	"/proc/sys/vm/panic_on_oom":           "0",
	"/proc/sys/kernel/panic":              "10",
	"/proc/sys/kernel/panic_on_oops":      "1",
	"/proc/sys/kernel/keys/root_maxkeys":  "1000000",
	"/proc/sys/kernel/keys/root_maxbytes": "25000000",
}

// prepareMounts makes the node's mounts its own: nothing that is mounted from now on is seen outside.
func prepareMounts(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts in this namespace: %w", err)
	}
	// Pods' mounts propagate within it.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share mounts within this namespace: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	folder := filepath.Join(dir, "config", "sysctl")
	if err := errors.Join(os.MkdirAll("/run/netns", 0o755), os.MkdirAll("/run/lock", 0o755), os.MkdirAll(folder, 0o755)); err != nil {
		return err
	}
	for file, value := range wishes {
		mine := filepath.Join(folder, strings.ReplaceAll(strings.TrimPrefix(file, "/proc/sys/"), "/", "."))
		if err := os.WriteFile(mine, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := unix.Mount(mine, file, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount over %s: %w", file, err)
		}
	}
	return nil
}
