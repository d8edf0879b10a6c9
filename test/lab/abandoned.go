package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// prefix of the folders of labs in the folder for temporary files.
const prefix = "genode-lab-"

// lock claims a lab's folder for as long as this process lives or keeps the file open.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("claim %s: %w", dir, err)
	}
	return f, nil
}

// removeAbandoned removes what labs have left that were killed with SIGKILL. Their processes have ended
// with them.
func removeAbandoned() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range folders {
		if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
			continue // not claimed yet: it has just been made
		}
		f, err := lock(dir)
		if err != nil {
			continue // it lives
		}
		_ = os.RemoveAll(dir)
		f.Close()
	}
}
