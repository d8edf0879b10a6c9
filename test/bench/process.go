package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticksPerSecond is the unit of CPU times in /proc (USER_HZ), the same on every Linux.
const ticksPerSecond = 100

// cpuSeconds is the CPU time that a process has used, without its children.
func cpuSeconds(pid int) (float64, error) {
	path := fmt.Sprintf("/proc/%d/stat", pid)
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return parseCPU(string(b), path)
}

// parseCPU reads the user and system time out of a line of /proc/PID/stat. The name in it may hold blanks and
// parentheses, so that the fields begin after the last one.
func parseCPU(line, path string) (float64, error) {
	const user, system = 11, 12 // counted from the state on
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) <= system {
		return 0, fmt.Errorf("%s has %d fields", path, len(fields))
	}
	u, errU := strconv.ParseFloat(fields[user], 64)
	s, errS := strconv.ParseFloat(fields[system], 64)
	if errU != nil || errS != nil {
		return 0, fmt.Errorf("%s has times %q and %q", path, fields[user], fields[system])
	}
	return (u + s) / ticksPerSecond, nil
}

// memory of a process in MiB: all that is resident, and the part that belongs to it alone (anonymous).
func memory(pid int) (resident, private float64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	resident, private = statusMiB(string(b), "VmRSS"), statusMiB(string(b), "RssAnon")
	if resident == 0 {
		return 0, 0, fmt.Errorf("process %d has no memory: it has ended", pid)
	}
	return resident, private, nil
}

func statusMiB(status, key string) float64 {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			kib, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			return kib / 1024
		}
	}
	return 0
}

// childQEMU is the QEMU process that an agent has started.
func childQEMU(agent int) (int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue // ended meanwhile
		}
		status := string(b)
		if strings.HasPrefix(status, "Name:\tqemu") && strings.Contains(status, fmt.Sprintf("\nPPid:\t%d\n", agent)) {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("agent %d has no QEMU among its children", agent)
}
