package realnode

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// job is what the init was told.
type job struct {
	dir, programs, cgroup string
	timeout               time.Duration
	images                []string
	out                   io.Writer // read by Start
}

// runArgument is how the init calls itself once more.
const runArgument = "realnode-run"

// Main is the main function of calls whose first argument is InitArgument, or what follows from that; is
// tells whether this is one. It returns the exit code.
func Main(args []string) (code int, is bool) {
	if len(args) < 2 || args[1] != InitArgument && args[1] != runArgument {
		return 0, false
	}
	if os.Getpid() == 1 {
		return reap(args), true
	}
	j, err := parse(args[2:])
	if err == nil {
		err = j.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		return 1, true
	}
	return 0, true
}

func parse(args []string) (job, error) {
	j := job{out: os.Stdout}
	f := flag.NewFlagSet(InitArgument, flag.ContinueOnError)
	f.StringVar(&j.dir, "dir", "", "folder of the state")
	f.StringVar(&j.programs, "programs", "", "folder with kubebox")
	f.StringVar(&j.cgroup, "cgroup", "", "name of the node's cgroup")
	f.DurationVar(&j.timeout, "timeout", time.Minute, "how long to wait for the node")
	err := f.Parse(args)
	j.images = f.Args()
	return j, err
}

// reap is PID 1: it starts what really runs the node, and collects whatever loses its parent, as
// containerd's shims do on purpose. Its end is the end of everything in the namespace.
func reap(args []string) int {
	p, err := os.StartProcess("/proc/self/exe", append([]string{args[0], runArgument}, args[2:]...), &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "node: start the second process:", err)
		return 1
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "node: wait for children:", err)
			return 1
		case pid == p.Pid:
			return status.ExitStatus()
		}
	}
}

// run starts everything, says that it is ready, and waits for the end of standard input, which is the end
// of who started the node.
func (j job) run() error {
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(context.Background(), j.timeout, fmt.Errorf("not ready after %s", j.timeout))
	defer cancel()
	if err := prepareMounts(j.dir); err != nil {
		return fmt.Errorf("prepare mounts: %w", err)
	}
	if err := prepareNetwork(ctx); err != nil {
		return fmt.Errorf("prepare the network: %w", err)
	}
	if err := writeConfig(j); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	parts := &parts{job: j, failed: make(chan error, len(started))}
	if err := parts.start(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(j.out, "%s after %.1f s\n", readyLine, time.Since(began).Seconds())
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(gone)
	}()
	select {
	case err := <-parts.failed:
		return err
	case <-gone:
		return nil
	}
}
