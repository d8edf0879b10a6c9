package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// patience is how long a command may take to end after an interrupt before it is killed.
const patience = 30 * time.Second

// runTests runs "go test -json" with the given arguments and tells what happens.
func runTests(ctx context.Context, name string, args []string) Part {
	started := time.Now()
	tally := NewTally()
	err := goTest(ctx, args, tally, newProgress(os.Stderr, countPackages(ctx, args)))
	part := Part{
		Name:     name,
		Seconds:  time.Since(started).Seconds(),
		Passed:   tally.Passed,
		Failures: tally.Failures,
		Skips:    tally.Skips,
	}
	if err != nil && len(part.Failures) == 0 {
		part.Failures = []string{fmt.Sprintf("go test: %v", err)}
	}
	part.OK = len(part.Failures) == 0
	part.print(os.Stdout)
	return part
}

// goTest runs go test once, feeds the tally and prints what it returns.
func goTest(ctx context.Context, args []string, tally *Tally, bar *progress) error {
	cmd := command(ctx, "go", append([]string{"test", "-json"}, args...)...)
	// A process group of its own: an interrupt then reaches the tests and what they have started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("make a pipe for go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start go test: %w", err)
	}
	stop := bar.start()
	readErr := readEvents(out, func(e Event) {
		text := bar.update(tally, e)
		if text != "" {
			bar.clear()
			fmt.Fprint(os.Stdout, text)
		}
	})
	stop()
	return errors.Join(readErr, cmd.Wait())
}

// readEvents calls f for each event. Lines that are no event, such as those of a crashed linker, are
// handed on as output of no package.
func readEvents(r io.Reader, f func(Event)) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e Event
			if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
				e = Event{Action: "output", Output: line}
			}
			f(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the output of go test: %w", err)
		}
	}
}

// countPackages returns the number of packages with tests that the patterns among args ("./...") name,
// 0 when it cannot be told.
func countPackages(ctx context.Context, args []string) int {
	list := []string{"list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}"}
	for _, a := range args {
		if strings.HasPrefix(a, "./") {
			list = append(list, a)
		}
	}
	out, err := command(ctx, "go", list...).Output()
	if err != nil {
		return 0
	}
	return len(strings.Fields(string(out)))
}

// check runs a command with its output on the terminal.
func check(ctx context.Context, name string, args []string) Part {
	part := Part{Name: name, Check: true}
	if len(args) == 0 {
		part.Failures = []string{name + ": no command given"}
		return part
	}
	started := time.Now()
	cmd := command(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	part.Seconds = time.Since(started).Seconds()
	if err != nil {
		part.Failures = []string{fmt.Sprintf("%s: %v", name, err)}
	}
	part.OK = err == nil
	return part
}

// command returns a command that is interrupted when ctx ends, and killed some time later.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = patience
	return cmd
}
