package parity

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// The environment of a process that runs an engine until it is killed.
const (
	envStore   = "PARITY_ENGINE_STORE"   // path of the store
	envTargets = "PARITY_ENGINE_TARGETS" // addresses, with commas
)

// manyVariants are more than the engine gets to run before it is killed for the last time.
const manyVariants = one + "sweeps: [{task: hello, attribute: executionTimeMilliseconds, range: {from: 1, to: 6000}}]"

// TestExactlyOnceAlthoughTheEngineIsKilled kills the process of an engine fifty times. In the end each variant
// has exactly one final record.
func TestExactlyOnceAlthoughTheEngineIsKilled(t *testing.T) {
	const kills = 50
	var targets []*faketarget.Target
	var addresses []string
	for range 4 {
		target := fake(t, faketarget.Options{Job: faketarget.Takes(1), Quiet: true})
		targets = append(targets, target)
		addresses = append(addresses, target.Address())
	}
	ran := func() (n int) {
		for _, target := range targets {
			n += target.Count("START")
		}
		return n
	}
	l := newLab(t, targets...) // its own engine comes last
	l.stop()
	for i := range kills {
		// Each life is a little longer than the one before: the kills meet the engine at different points.
		before := ran()
		kill(t, l.path, addresses, func() bool { return ran() >= before+20+i })
	}
	interrupted := ran()
	l.start()
	p, err := killPlan(addresses)
	if err != nil {
		t.Fatal(err)
	}
	l.Engine.Apply(p)
	s := l.await("the records that survived", func(s campaign.Snapshot) bool { return s.State != campaign.StateLoading })
	t.Logf("%d variants were started and %d recorded by %d engines that were killed", interrupted, s.Finished, kills)
	if s.Finished < kills*10 {
		t.Errorf("only %d variants were recorded", s.Finished)
	}
	l.await("completion", complete)
	succeeded(t, l.finals(p.Total))
	if n := len(l.records()); uint64(n) != p.Total {
		t.Errorf("%d records of %d variants", n, p.Total)
	}
}

// kill runs an engine in a process of its own and kills it once enough has happened.
func kill(t *testing.T, path string, addresses []string, enough func() bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), envStore+"="+path, envTargets+"="+strings.Join(addresses, ","))
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	complaints := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(said).ReadString('\n')
		complaints <- line
	}()
	deadline, tick := time.After(20*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !enough() {
		select {
		case <-tick.C:
		case line := <-complaints:
			t.Fatalf("the engine ended by itself: %s", line)
		case <-deadline:
			t.Fatal("the engine does not get anywhere")
		}
	}
	_ = cmd.Process.Kill()
	<-complaints
	_ = cmd.Wait() // it says that it was killed
}

// runUntilKilled is the process that kill starts.
func runUntilKilled() error {
	ctx := context.Background()
	store, err := results.OpenSQLite(ctx, os.Getenv(envStore))
	if err != nil {
		return err
	}
	engine := campaign.New(campaign.Options{Store: store, Class: taskloader.New(taskloader.Options{}), Fleet: &lab{}})
	p, err := killPlan(strings.Split(os.Getenv(envTargets), ","))
	if err != nil {
		return err
	}
	engine.Apply(p)
	return engine.Start(ctx)
}

// killPlan is what every engine does.
func killPlan(addresses []string) (campaign.Plan, error) {
	spec, err := parseSpec(manyVariants)
	if err != nil {
		return campaign.Plan{}, err
	}
	p, err := campaign.FromSpec("c", "default/c", spec)
	p.Binaries = map[string]session.Binary{"hey": binary("hey", 44_372)}
	for i, address := range addresses {
		p.Targets = append(p.Targets, session.Target{Name: targetName(i), Address: address, Generation: taskset.G1608b})
	}
	return p, err
}

// engineProcess reports whether this process is one that kill started, after having been that.
func engineProcess() bool {
	if os.Getenv(envStore) == "" {
		return false
	}
	if err := runUntilKilled(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return true
}
