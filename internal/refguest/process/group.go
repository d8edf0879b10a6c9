//go:build linux

package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/go-logr/logr"
	"golang.org/x/sys/unix"
)

// group is a memory cgroup (v2) of one job. All methods may be called on nil.
type group struct {
	path string
	dir  *os.File
}

func newGroup(path string, limit uint64) (*group, error) {
	if err := os.Mkdir(path, 0o755); err != nil {
		return nil, fmt.Errorf("make memory cgroup: %w", err)
	}
	dir, err := os.Open(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open memory cgroup: %w", err), os.Remove(path))
	}
	g := &group{path: path, dir: dir}
	if err := os.WriteFile(filepath.Join(path, "memory.max"), strconv.AppendUint(nil, limit, 10), 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("limit memory cgroup: %w", err), dir.Close(), os.Remove(path))
	}
	// Without swap in it, a full group is killed and not paged out; there is no such file without swap.
	_ = os.WriteFile(filepath.Join(path, "memory.swap.max"), []byte("0"), 0o644)
	return g, nil
}

func (g *group) fd() int { return int(g.dir.Fd()) }

// exceeded reports whether the kernel killed something in the group for want of memory.
func (g *group) exceeded() bool {
	if g == nil {
		return false
	}
	events, err := os.ReadFile(filepath.Join(g.path, "memory.events"))
	if err != nil {
		return false
	}
	_, count, ok := bytes.Cut(events, []byte("oom_kill "))
	return ok && len(count) > 0 && count[0] != '0'
}

// close kills what is left in the group and removes it.
func (g *group) close(log logr.Logger) {
	if g == nil {
		return
	}
	defer g.dir.Close()
	err := os.Remove(g.path)
	if errors.Is(err, unix.EBUSY) { // a grandchild has outlived its parent
		_ = os.WriteFile(filepath.Join(g.path, "cgroup.kill"), []byte("1"), 0o644)
		for i := 0; i < 100 && errors.Is(err, unix.EBUSY); i++ {
			nap()
			err = os.Remove(g.path)
		}
	}
	if err != nil {
		log.Error(err, "Removing the cgroup of a job failed")
	}
}
