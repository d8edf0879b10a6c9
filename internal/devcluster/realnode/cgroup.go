package realnode

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// cgroupRoot is where cgroups are mounted.
const cgroupRoot = "/sys/fs/cgroup"

// unified is true where cgroups have version 2.
func unified() bool {
	_, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers"))
	return err == nil
}

// hierarchies are the folders in which a cgroup has to be made: one with version 2, one for each controller
// with version 1 (where systemd and the container runtime may use one of version 2, too).
func hierarchies() []string {
	if unified() {
		return []string{cgroupRoot}
	}
	entries, _ := os.ReadDir(cgroupRoot) // nothing there: the kubelet will say so
	var all []string
	for _, e := range entries {
		if e.IsDir() { // links are second names of others
			all = append(all, filepath.Join(cgroupRoot, e.Name()))
		}
	}
	return all
}

// prefix begins the names of nodes' cgroups; the number of the process that made one follows.
const prefix = "genode-node-"

// removeStale removes cgroups of nodes whose maker was killed.
func removeStale() {
	for _, h := range hierarchies() {
		left, _ := filepath.Glob(filepath.Join(h, prefix+"*")) // the pattern is well-formed
		for _, folder := range left {
			maker := strings.TrimPrefix(filepath.Base(folder), prefix)
			if _, err := os.Stat(filepath.Join("/proc", maker)); errors.Is(err, fs.ErrNotExist) {
				removeTree(folder)
			}
		}
	}
}

// makeCgroup makes the cgroup below which the kubelet makes those of its pods.
func makeCgroup(name string) (string, error) {
	for _, h := range hierarchies() {
		folder := filepath.Join(h, name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return "", err
		}
		if err := fill(h, folder); err != nil {
			return "", err
		}
	}
	return name, nil
}

// fill lets a new cgroup have what its parent has: a cpuset is empty at first (version 1), and controllers
// have to be passed on (version 2).
func fill(parent, folder string) error {
	if unified() {
		const controllers = "+cpu +cpuset +memory +pids +io"
		return errors.Join(
			os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte(controllers), 0o644),
			os.WriteFile(filepath.Join(folder, "cgroup.subtree_control"), []byte(controllers), 0o644),
		)
	}
	if filepath.Base(parent) != "cpuset" {
		return nil
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, file))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, file), value, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// removeCgroup removes the cgroup and those below it. A process that was killed may take a moment to leave.
func removeCgroup(name string) {
	const patience = 5 * time.Second
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		busy := false
		for _, h := range hierarchies() {
			busy = removeTree(filepath.Join(h, name)) || busy
		}
		if !busy {
			return
		}
	}
}

// removeTree removes folders from the bottom up; it returns whether something is left.
func removeTree(top string) bool {
	var folders []string
	_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			folders = append(folders, path)
		}
		return nil // what is gone is gone
	})
	for i := len(folders) - 1; i >= 0; i-- {
		if strings.HasPrefix(folders[i], cgroupRoot) {
			_ = syscall.Rmdir(folders[i])
		}
	}
	_, err := os.Stat(top)
	return err == nil
}
