package localnode

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// logLimit is the size at which a log is put aside (once) and begun anew.
const logLimit = 10 << 20

// logPath is the log of one run of a container; run is its restart count.
func logPath(dir string, run int32) string {
	return filepath.Join(dir, strconv.Itoa(int(run))+".log")
}

// logFile is a bounded log: at most two times the limit of the newest output is kept.
type logFile struct {
	path  string
	limit int64

	mu   sync.Mutex
	file *os.File
	size int64
}

func openLogFile(path string) (*logFile, error) {
	l := &logFile{path: path, limit: logLimit}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	l.file, l.size = f, 0
	return nil
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(p)) > l.limit {
		_ = l.file.Close() // only ever written
		if err := os.Rename(l.path, l.path+".old"); err != nil {
			return 0, fmt.Errorf("rotate log: %w", err)
		}
		if err := l.open(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// removeLog removes the log of one run.
func removeLog(path string) {
	_, _ = os.Remove(path), os.Remove(path+".old") // there may be none
}

// drain copies a container's output to its log until all its processes have closed it. A full
// disk must not block the container: its output is then lost.
func drain(r io.Reader, log io.Writer) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		_, _ = log.Write(buffer[:n])
		if err != nil {
			return
		}
	}
}
