package qemu

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// threadTime is what the scheduler counts for a thread.
type threadTime struct{ run, wait time.Duration }

// meter adds up the times of threads that come and go, so that the sums never fall.
type meter struct {
	mu      sync.Mutex
	threads map[string]threadTime // the living, by thread id
	ended   threadTime            // of all that ended
}

// CPU is the time that QEMU's threads have spent on a CPU, and the time that they were ready to run but
// had to wait for one: the second says how much of a guest's silence is the host's fault. Both grow
// only, over the threads that were seen.
func (vm *VM) CPU() (run, wait time.Duration, err error) {
	now, err := threadTimes(fmt.Sprintf("/proc/%d/task", vm.proc.pid))
	if err != nil {
		return 0, 0, fmt.Errorf("CPU time of QEMU: %w", err)
	}
	total := vm.meter.update(now)
	return total.run, total.wait, nil
}

// update takes the times of the living threads and returns the sum over all there ever were.
func (m *meter) update(now map[string]threadTime) threadTime {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, before := range m.threads {
		if t, alive := now[id]; !alive || t.run < before.run { // less: a new thread with an old id
			m.ended.run += before.run
			m.ended.wait += before.wait
		}
	}
	m.threads = maps.Clone(now)
	total := m.ended
	for _, t := range now {
		total.run += t.run
		total.wait += t.wait
	}
	return total
}

// threadTimes reads the schedstat of each thread: nanoseconds on a CPU, nanoseconds waiting, slices.
func threadTimes(tasks string) (map[string]threadTime, error) {
	entries, err := os.ReadDir(tasks)
	if err != nil {
		return nil, err
	}
	times := make(map[string]threadTime, len(entries))
	for _, e := range entries {
		path := filepath.Join(tasks, e.Name(), "schedstat")
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(err.Error(), "no such process") {
			continue // the thread has just ended
		}
		if err != nil {
			return nil, err
		}
		var t threadTime
		if _, err := fmt.Sscan(string(text), &t.run, &t.wait); err != nil {
			return nil, fmt.Errorf("%s holds %.40q: %w", path, text, err)
		}
		times[e.Name()] = t
	}
	if len(times) == 0 {
		return nil, fmt.Errorf("%s: no thread has a schedstat; QEMU has ended, or the kernel lacks CONFIG_SCHED_INFO", tasks)
	}
	return times, nil
}

// RSS is QEMU's resident memory in bytes.
func (vm *VM) RSS() (int64, error) {
	path := fmt.Sprintf("/proc/%d/statm", vm.proc.pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("memory of QEMU: %w", err)
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0, fmt.Errorf("memory of QEMU: %s holds %.40q: %w", path, text, err)
	}
	return resident * int64(os.Getpagesize()), nil
}
