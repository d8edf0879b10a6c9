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
	"strconv"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// fakes are fake targets in a process of their own.
type fakes struct {
	targets []session.Target
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

// startFakes starts n targets whose jobs take so many milliseconds.
func startFakes(ctx context.Context, n int, job int64) (*fakes, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "fakes", "--targets", strconv.Itoa(n), "--job", strconv.FormatInt(job, 10))
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Second
	in, errIn := cmd.StdinPipe() // closed by the end of this process, whatever ends it: then the child ends, too
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start fake targets: %w", err)
	}
	f := &fakes{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	f.out.Buffer(nil, 1<<20)
	hello, err := f.answer()
	if err != nil {
		return nil, errors.Join(err, f.stop())
	}
	for i, address := range hello.Addresses {
		f.targets = append(f.targets, session.Target{Name: fmt.Sprintf("bench/target-%d", i), Address: address, Generation: taskset.G1608b})
	}
	return f, nil
}

// order tells the first count targets to do something, and returns when each of them did.
func (f *fakes) order(do string, count int) ([]time.Time, error) {
	if err := json.NewEncoder(f.in).Encode(order{Do: do, Count: count}); err != nil {
		return nil, fmt.Errorf("fake targets: %w", err)
	}
	done, err := f.answer()
	return done.At, err
}

func (f *fakes) answer() (outcome, error) {
	var o outcome
	if !f.out.Scan() {
		return o, errors.Join(errors.New("the process with the fake targets has ended"), f.out.Err())
	}
	return o, json.Unmarshal(f.out.Bytes(), &o)
}

func (f *fakes) stop() error {
	_ = f.in.Close() // which ends it
	return f.cmd.Wait()
}
