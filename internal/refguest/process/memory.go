//go:build linux

package process

import (
	"bytes"
	"os"
	"strconv"
)

// availableMemory is what the kernel would give to a new process, in bytes.
func availableMemory() (uint64, bool) {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	_, rest, ok := bytes.Cut(info, []byte("MemAvailable:"))
	if !ok {
		return 0, false
	}
	kib, _, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
	n, err := strconv.ParseUint(string(kib), 10, 64)
	return n << 10, err == nil
}
