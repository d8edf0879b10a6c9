package realnode

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Command prepares a program to be run in the namespaces of the node that runs in dir, with KUBECONFIG set
// to its administrator's. The working directory stays.
func Command(ctx context.Context, dir, program string, args ...string) (*exec.Cmd, error) {
	text, err := os.ReadFile(filepath.Join(dir, "init.pid"))
	if err != nil {
		return nil, fmt.Errorf("no node runs in %s: %w", dir, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return nil, fmt.Errorf("%s/init.pid holds %q, which is no process", dir, text)
	}
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	target := strconv.Itoa(pid)
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", target, "-m", "-n", "-p", "-u", "-i", "--wd=" + wd, "--", program}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(dir, "kubeconfig"))
	return cmd, nil
}
