package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// MachineFacts say what the numbers were measured on.
type MachineFacts struct {
	Time        time.Time `json:"time"`
	CPUs        int       `json:"cpus"`
	CPU         string    `json:"cpu,omitempty"`
	Load        string    `json:"load"` // averages over 1, 5 and 15 minutes at the start
	Kernel      string    `json:"kernel"`
	QEMU        string    `json:"qemu"`
	Accelerator string    `json:"accelerator"`
	Go          string    `json:"go"`
	Seed        uint64    `json:"seed"`
}

func machineFacts(ctx context.Context, o *options) MachineFacts {
	f := MachineFacts{
		Time: time.Now().UTC().Truncate(time.Second), CPUs: runtime.NumCPU(), CPU: cpuModel(), Load: loads(),
		Kernel: "unknown", QEMU: "unknown", Accelerator: o.accelerator, Go: runtime.Version(), Seed: o.seed,
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		f.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "qemu-system-x86_64", "--version").Output(); err == nil {
		first, _, _ := strings.Cut(string(out), "\n")
		f.QEMU = strings.TrimPrefix(first, "QEMU emulator version ")
	}
	return f
}

// String is the report's first line.
func (f MachineFacts) String() string {
	return fmt.Sprintf("%s: %d CPUs (%s), load %s, Linux %s, QEMU %s, %s, %s, seed %d",
		f.Time.Format(time.RFC3339), f.CPUs, f.CPU, f.Load, f.Kernel, f.QEMU, f.Accelerator, f.Go, f.Seed)
}

func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown model"
}

// loads are the load averages over 1, 5 and 15 minutes.
func loads() string {
	b, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(b)); err == nil && len(fields) >= 3 {
		return strings.Join(fields[:3], " ")
	}
	return "unknown"
}

// Load says how busy the machine was while a part was measured.
type Load struct {
	Seconds float64 `json:"seconds"`
	// Busy is the share of all CPUs' time that was used, by this program, its guests and everybody else.
	Busy float64 `json:"busy"`
	// Others is the share that was used by processes that are not this program's: 0 on a quiet machine.
	Others float64 `json:"others"`
}

func (l Load) String() string {
	return fmt.Sprintf("took %.0f s; CPUs %.0f %% busy, %.0f %% with other people's work", l.Seconds, 100*l.Busy, 100*l.Others)
}

// loadMeter measures a Load from its making on.
type loadMeter struct {
	begin       time.Time
	total, busy float64
	own         float64
}

func newLoadMeter() loadMeter {
	m := loadMeter{begin: time.Now(), own: ownCPU()}
	m.total, m.busy = cpuTimes()
	return m
}

// end is the load since the meter was made. Children that still run are not in it: stop them before.
func (m loadMeter) end() Load {
	total, busy := cpuTimes()
	l := Load{Seconds: time.Since(m.begin).Seconds(), Busy: ratio(busy-m.busy, total-m.total)}
	l.Others = max(l.Busy-ratio(ownCPU()-m.own, total-m.total), 0)
	return l
}

// cpuTimes are the seconds of all CPUs together since the machine started: all, and not idle.
func cpuTimes() (total, busy float64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	const idle, iowait, guest = 3, 4, 8 // guest time is in user time already
	for i, field := range strings.Fields(strings.TrimPrefix(first, "cpu")) {
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil || i >= guest {
			break
		}
		total += ticks / ticksPerSecond
		if i != idle && i != iowait {
			busy += ticks / ticksPerSecond
		}
	}
	return total, busy
}

// ownCPU are the CPU seconds of this program and of its children that have ended, with theirs.
func ownCPU() float64 {
	var sum float64
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if unix.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
		}
	}
	return sum
}
