package lab

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// Process is a process of this machine.
type Process struct {
	Pid     int
	Command string
}

// Processes are those of this machine whose command line contains the text; this process is not among them.
func Processes(text string) []Process {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well-formed
	var out []Process
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended meanwhile
		}
		command := strings.ReplaceAll(string(b), "\x00", " ")
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if strings.Contains(command, text) && pid != os.Getpid() {
			out = append(out, Process{pid, command})
		}
	}
	return out
}

// Records reads the records of a campaign from the store.
func (l *Lab) Records(ctx context.Context, campaign string) (all []results.Record, err error) {
	store, err := results.OpenSQLite(ctx, l.Results())
	if err != nil {
		return nil, err
	}
	err = store.Each(ctx, campaign, func(r results.Record) error { all = append(all, r); return nil })
	return all, errors.Join(err, store.Close())
}

// ManagerPid is the process of the manager.
func (l *Lab) ManagerPid() int { return l.manager.cmd.Process.Pid }

// ControlPlanePid is the process that is etcd, API server, controllers and scheduler.
func (l *Lab) ControlPlanePid() int { return l.plane.Pid }
