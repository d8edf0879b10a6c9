package localnode

import (
	"bytes"
	"io"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Limits of a termination message, as a kubelet has them.
const (
	messageLimit  = 4096
	fallbackLimit = 2048
	fallbackLines = 80
)

// terminationMessage is what a container left for its status: the content of its termination
// message file or, if that is empty, it failed and the policy allows it, the end of its log.
func terminationMessage(c *corev1.Container, file, log string, failed bool) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read
	b, _ := io.ReadAll(io.LimitReader(f, messageLimit))
	if len(b) > 0 || !failed || c.TerminationMessagePolicy != corev1.TerminationMessageFallbackToLogsOnError {
		return strings.ToValidUTF8(string(b), "?")
	}
	b, _ = os.ReadFile(log) // no log, no message
	b = lastLines(b, fallbackLines)
	return strings.ToValidUTF8(string(b[max(0, len(b)-fallbackLimit):]), "?")
}

// lastLines returns the last n lines of b; the last may be unfinished.
func lastLines(b []byte, n int) []byte {
	if n == 0 {
		return nil
	}
	end := len(bytes.TrimSuffix(b, []byte("\n")))
	for i := 0; i < n; i++ {
		if end = bytes.LastIndexByte(b[:end], '\n'); end < 0 {
			return b
		}
	}
	return b[end+1:]
}
