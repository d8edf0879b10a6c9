package qemu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/qemu/qmp"
)

const (
	// snapshotTag names the only snapshot.
	snapshotTag = "ready"
	// jobPrefix starts the ids of our jobs.
	jobPrefix = "snapshot-job-"
	// jobTimeout bounds a job when ctx does not do so earlier.
	jobTimeout = 30 * time.Second
	// jobPause is the time between two looks at a job.
	jobPause = 2 * time.Millisecond
)

// ErrNoSnapshots: the machine was started without Config.Snapshots.
var ErrNoSnapshots = errors.New("the machine was started without snapshots; set Config.Snapshots")

// SaveSnapshot saves the state of the machine and what was written to its disk, in place of an earlier
// snapshot, and returns the size of the state in bytes. The guest stands still for that time (tens of
// milliseconds for a small one) and runs afterwards if it did before. Other commands are answered only
// after it.
func (vm *VM) SaveSnapshot(ctx context.Context) (size int64, err error) {
	defer func() { err = wrap("save the snapshot", err) }()
	devices, unlock, err := vm.beginSnapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	existing, err := vm.snapshotSize(ctx)
	if err != nil {
		return 0, err
	}
	if existing >= 0 {
		if err := vm.job(ctx, "snapshot-delete", map[string]any{"tag": snapshotTag, "devices": devices}); err != nil {
			return 0, err
		}
	}
	if err := vm.job(ctx, "snapshot-save", snapshotArgs(devices)); err != nil {
		return 0, err
	}
	if size, err = vm.snapshotSize(ctx); err != nil {
		return 0, err
	}
	if size < 0 {
		return 0, errors.New("QEMU reports success, but there is no snapshot")
	}
	return size, nil
}

// LoadSnapshot puts the machine back to where SaveSnapshot left it and lets it run, even when it was
// paused before. After an error the machine may be paused; Reset brings it back.
func (vm *VM) LoadSnapshot(ctx context.Context) (err error) {
	defer func() { err = wrap("load the snapshot", err) }()
	devices, unlock, err := vm.beginSnapshot(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := vm.job(ctx, "snapshot-load", snapshotArgs(devices)); err != nil {
		return err
	}
	return vm.run(ctx)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

func snapshotArgs(devices []string) map[string]any {
	return map[string]any{"tag": snapshotTag, "vmstate": snapshotNode, "devices": devices}
}

// beginSnapshot waits for its turn, sweeps what an earlier call may have left, and lists the block nodes
// that belong to a snapshot: the one for the state and the guest's writable disk.
func (vm *VM) beginSnapshot(ctx context.Context) (devices []string, unlock func(), err error) {
	if !vm.snapshots {
		return nil, nil, ErrNoSnapshots
	}
	vm.snapshotting.Lock()
	defer func() {
		if err != nil {
			vm.snapshotting.Unlock()
		}
	}()
	if err := vm.dismissConcluded(ctx); err != nil {
		return nil, nil, err
	}
	var drives []struct {
		Inserted *struct {
			NodeName string `json:"node-name"`
			ReadOnly bool   `json:"ro"`
		} `json:"inserted"`
	}
	if err := vm.qmp.Execute(ctx, "query-block", nil, &drives); err != nil {
		return nil, nil, err
	}
	devices = []string{snapshotNode}
	for _, d := range drives {
		if d.Inserted != nil && !d.Inserted.ReadOnly && !slices.Contains(devices, d.Inserted.NodeName) {
			devices = append(devices, d.Inserted.NodeName)
		}
	}
	return devices, vm.snapshotting.Unlock, nil
}

// snapshotSize is the size of the snapshot's state in bytes, or -1 when there is no snapshot.
func (vm *VM) snapshotSize(ctx context.Context) (int64, error) {
	var nodes []struct {
		NodeName string `json:"node-name"`
		Image    struct {
			Snapshots []struct {
				Name string `json:"name"`
				Size int64  `json:"vm-state-size"`
			} `json:"snapshots"`
		} `json:"image"`
	}
	if err := vm.qmp.Execute(ctx, "query-named-block-nodes", map[string]any{"flat": true}, &nodes); err != nil {
		return 0, err
	}
	for _, n := range nodes {
		for _, s := range n.Image.Snapshots {
			if n.NodeName == snapshotNode && s.Name == snapshotTag {
				return s.Size, nil
			}
		}
	}
	return -1, nil
}

// job is one entry of query-jobs.
type job struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Error  string `json:"error"`
}

// job runs a job to its end. QEMU does the work in its main loop and answers nothing meanwhile, so a
// look at the job that times out only means that it is not over. When ctx ends, the job goes on.
func (vm *VM) job(ctx context.Context, command string, args map[string]any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, jobTimeout, qmp.ErrTimeout)
	defer cancel()
	vm.jobs++
	id := fmt.Sprint(jobPrefix, vm.jobs)
	args["job-id"] = id
	if err := vm.qmp.Execute(ctx, command, args, nil); err != nil {
		return err
	}
	pause := time.NewTicker(jobPause)
	defer pause.Stop()
	for {
		j, err := vm.lookAt(ctx, id)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", command, err)
		case j.Status == "concluded":
			return vm.concluded(ctx, command, j)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is still %s: %w", command, j.Status, context.Cause(ctx))
		case <-pause.C:
		}
	}
}

// lookAt finds a job; a time-out of the command alone counts as running.
func (vm *VM) lookAt(ctx context.Context, id string) (job, error) {
	var jobs []job
	err := vm.qmp.Execute(ctx, "query-jobs", nil, &jobs)
	if errors.Is(err, qmp.ErrTimeout) && ctx.Err() == nil {
		return job{ID: id, Status: "running"}, nil
	}
	if err != nil {
		return job{}, err
	}
	for _, j := range jobs {
		if j.ID == id {
			return j, nil
		}
	}
	return job{}, fmt.Errorf("QEMU has forgotten job %s", id)
}

func (vm *VM) concluded(ctx context.Context, command string, j job) error {
	if err := vm.dismiss(ctx, j.ID); err != nil {
		return err
	}
	if j.Error != "" {
		return fmt.Errorf("%s: %s", command, j.Error)
	}
	return nil
}

func (vm *VM) dismiss(ctx context.Context, id string) error {
	return vm.qmp.Execute(ctx, "job-dismiss", map[string]string{"id": id}, nil)
}

// dismissConcluded forgets jobs whose callers gave up.
func (vm *VM) dismissConcluded(ctx context.Context) error {
	var jobs []job
	if err := vm.qmp.Execute(ctx, "query-jobs", nil, &jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if !strings.HasPrefix(j.ID, jobPrefix) {
			continue
		}
		if j.Status != "concluded" {
			return fmt.Errorf("an earlier job is still %s; try again later", j.Status)
		}
		if err := vm.dismiss(ctx, j.ID); err != nil {
			return err
		}
	}
	return nil
}
