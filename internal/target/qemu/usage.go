package qemu

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// threadTime is what the scheduler counts for a thread.
type threadTime struct{ run, wait time.Duration }

// thread is a thread at one look.
type thread struct {
	threadTime
	ready bool // on a CPU, or waiting for one
}

// seen is a thread as the meter remembers it.
type seen struct {
	thread
	since time.Time // of the first look at which it was like this
}

// meter adds up the times of threads that come and go, so that the sums never fall.
type meter struct {
	mu      sync.Mutex
	threads map[string]seen // the living, by thread id
	ended   threadTime      // of all that ended
}

// CPU is the time that QEMU's threads have spent on a CPU, and the time that they were ready to run but
// had to wait for one: the second says how much of a guest's silence is the host's fault. Both grow
// only, over the threads that were seen, but for what a thread waited when it was killed.
func (vm *VM) CPU() (run, wait time.Duration, err error) {
	now, err := threadTimes(fmt.Sprintf("/proc/%d/task", vm.proc.pid))
	if err != nil {
		return 0, 0, fmt.Errorf("CPU time of QEMU: %w", err)
	}
	total := vm.meter.update(time.Now(), now)
	return total.run, total.wait, nil
}

// update takes the living threads and returns the sum of the times over all there ever were. The kernel
// counts a wait when it is over. One that still lasts is counted from the first look that saw it: a thread
// that was ready at two looks and whose times stood still between them has waited all the while.
func (m *meter) update(at time.Time, now map[string]thread) threadTime {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, before := range m.threads {
		if t, alive := now[id]; !alive || t.run < before.run { // less: a new thread with an old id
			m.ended.run += before.run
			m.ended.wait += before.wait
		}
	}
	before := m.threads
	m.threads = make(map[string]seen, len(now))
	total := m.ended
	for id, t := range now {
		s := seen{thread: t, since: at}
		if b, known := before[id]; known && b.thread == t {
			s.since = b.since
		}
		m.threads[id] = s
		total.run += t.run
		total.wait += t.wait
		if t.ready {
			total.wait += at.Sub(s.since)
		}
	}
	return total
}

// threadTimes reads the schedstat of each thread: nanoseconds on a CPU, nanoseconds waiting, slices.
// A thread whose state cannot be read counts as asleep.
func threadTimes(tasks string) (map[string]thread, error) {
	entries, err := os.ReadDir(tasks)
	if err != nil {
		return nil, err
	}
	times := make(map[string]thread, len(entries))
	for _, e := range entries {
		path := filepath.Join(tasks, e.Name(), "schedstat")
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(err.Error(), "no such process") {
			continue // the thread has just ended
		}
		if err != nil {
			return nil, err
		}
		var t thread
		if _, err := fmt.Sscan(string(text), &t.run, &t.wait); err != nil {
			return nil, fmt.Errorf("%s holds %.40q: %w", path, text, err)
		}
		t.ready = ready(filepath.Join(tasks, e.Name(), "stat"))
		times[e.Name()] = t
	}
	if len(times) == 0 {
		return nil, fmt.Errorf("%s: no thread has a schedstat; QEMU has ended, or the kernel lacks CONFIG_SCHED_INFO", tasks)
	}
	return times, nil
}

// ready reads the state out of a thread's stat; it follows the name, which stands in parentheses and may
// hold some itself.
func ready(stat string) bool {
	text, err := os.ReadFile(stat)
	_, state, found := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" "))
	return err == nil && found && bytes.HasPrefix(state, []byte("R"))
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
