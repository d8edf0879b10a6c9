package results

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// Of the process that is killed: the store that it writes, and the first variant that it records.
const (
	killedStore = "RESULTS_KILLED_STORE"
	killedFirst = "RESULTS_KILLED_FIRST"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(killedStore); path != "" {
		if err := writeUntilKilled(path, os.Getenv(killedFirst)); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// writeUntilKilled records variants from several goroutines, and says on standard output which were acknowledged.
func writeUntilKilled(path, first string) error {
	next, err := strconv.ParseUint(first, 10, 64)
	if err != nil {
		return err
	}
	s, err := OpenSQLite(context.Background(), path)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for {
				mu.Lock()
				v := next
				next++
				mu.Unlock()
				if failed := s.Put(context.Background(), record(v, 1, true)); failed != nil {
					panic(failed)
				}
				fmt.Fprintln(os.Stdout, v)
			}
		})
	}
	group.Wait()
	return nil
}

// TestNothingThatWasAcknowledgedIsLost kills a process that writes, 50 times.
func TestNothingThatWasAcknowledgedIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	acknowledged := map[uint64]bool{}
	first := uint64(0)
	for round := range 50 {
		for _, v := range writeAndKill(t, path, first, 1+round*7) {
			acknowledged[v] = true
		}
		s, err := OpenSQLite(t.Context(), path)
		must(t, err)
		found := map[uint64]int{}
		for _, r := range read(t, s, "c1") {
			found[r.Variant]++
			first = max(first, r.Variant+1)
			if len(r.Jobs) != 2 || r.Target != "arm-0" {
				t.Fatalf("half a record: %+v", r)
			}
		}
		must(t, s.Close())
		for v := range acknowledged {
			if found[v] != 1 {
				t.Fatalf("round %d: variant %d was acknowledged and is there %d times", round, v, found[v])
			}
		}
	}
	if len(acknowledged) < 50 {
		t.Errorf("only %d variants were acknowledged", len(acknowledged))
	}
}

// writeAndKill kills the process with SIGKILL when it has acknowledged so many variants, and returns all that it
// has acknowledged.
func writeAndKill(t *testing.T, path string, first uint64, after int) (acknowledged []uint64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killedStore+"="+path, fmt.Sprintf("%s=%d", killedFirst, first))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		v, err := strconv.ParseUint(lines.Text(), 10, 64)
		must(t, err)
		if acknowledged = append(acknowledged, v); len(acknowledged) == after {
			must(t, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait() // it was killed
	if len(acknowledged) < after {
		t.Fatalf("the process ended by itself after %d variants", len(acknowledged))
	}
	return acknowledged
}
