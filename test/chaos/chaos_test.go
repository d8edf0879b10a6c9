// Package chaos holds no code: its test lets everything go wrong that can, in an order that a seed decides, while a
// campaign runs on real guests. Afterwards every variant has its result once, and nothing is left.
//
//	CHAOS_SEED    of the order; the date by default. It is printed.
//	CHAOS_FAULTS  how many faults; 12 by default. "make chaos" has 200.
package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
	"github.com/genode-operator/genode-operator/test/lab"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// chaos is a lab in trouble.
type chaos struct {
	*testing.T
	*lab.Lab
	dice *rand.Rand
}

var targets = []string{"victims-0", "victims-1", "victims-2"}

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%s is no number", variable, text)
	}
	return n
}

func TestNothingIsLostInChaos(t *testing.T) {
	seed := number(t, "CHAOS_SEED", uint64(time.Now().Unix()/86400))
	n := int(number(t, "CHAOS_FAULTS", 12))
	t.Logf("CHAOS_SEED=%d CHAOS_FAULTS=%d", seed, n)
	c := start(t, seed)
	variants := 20 + 4*n // more than the faults leave time for
	c.apply(fmt.Sprintf(campaign, variants))
	c.await("the campaign to run", 3*time.Minute, func() bool { return c.succeeded() >= 1 })

	var back []time.Duration
	for i := range n {
		f := faults[c.dice.IntN(len(faults))]
		done := c.succeeded()
		at := time.Now()
		switch err := f.do(c); {
		case errors.Is(err, errNotNow):
			t.Logf("%3d. %s: %v", i+1, f.what, err)
			continue
		case err != nil:
			t.Fatalf("%s: %v", f.what, err)
		}
		// Sometimes the next thing goes wrong before this one is over.
		if c.dice.IntN(3) == 0 {
			t.Logf("%3d. %s, and at once:", i+1, f.what)
			continue
		}
		c.await("a result after "+f.what, 3*time.Minute, func() bool { return c.succeeded() > done || c.complete() })
		back = append(back, time.Since(at))
		t.Logf("%3d. %s: the next result came after %.1f s", i+1, f.what, back[len(back)-1].Seconds())
	}
	c.await("the campaign's end", 10*time.Minute, c.complete)
	c.everyVariantOnce(variants)
	c.allWell()
	slices.Sort(back)
	if len(back) > 0 {
		t.Logf("from fault to next result, s: p50 %.1f, p90 %.1f, max %.1f (%d faults)", back[len(back)/2].Seconds(),
			back[len(back)*9/10].Seconds(), back[len(back)-1].Seconds(), len(back))
	}
}

func start(t *testing.T, seed uint64) *chaos {
	t.Helper()
	guest, tasks := os.Getenv("REFGUEST_IMAGE"), os.Getenv("REFGUEST_TASKS")
	if guest == "" || tasks == "" {
		t.Skip("REFGUEST_IMAGE and REFGUEST_TASKS are not set: run this by make e2e or make chaos")
	}
	repo, err := assets.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	l, err := lab.Start(t.Context(), lab.Options{Guest: guest, Tasks: tasks, Programs: filepath.Join(repo, "bin"), Out: t.Output()})
	c := &chaos{T: t, Lab: l, dice: rand.New(rand.NewPCG(seed, 0))}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the manager's log:\n%s", l.ManagerLogTail(60))
		}
		l.Stop()
		if left := lab.Processes(l.Dir); len(left) > 0 {
			t.Errorf("still running after the end: %v", left)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	c.apply(pool)
	return c
}

func (c *chaos) apply(yaml string) {
	c.Helper()
	file := filepath.Join(c.TempDir(), "objects.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		c.Fatal(err)
	}
	if _, err := c.Kubectl(c.Context(), "apply", "-f", file); err != nil {
		c.Fatal(err)
	}
}

func (c *chaos) await(what string, limit time.Duration, ok func() bool) {
	c.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(limit); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			c.Fatalf("waited %s for %s", limit, what)
		}
	}
}

func (c *chaos) taskset() *v1alpha1.TaskSet {
	var ts v1alpha1.TaskSet
	_ = c.Get(c.Context(), types.NamespacedName{Namespace: "default", Name: "survivor"}, &ts) // the API server may be down
	return &ts
}

func (c *chaos) succeeded() int64 {
	if v := c.taskset().Status.Variants; v != nil {
		return v.Succeeded
	}
	return 0
}

func (c *chaos) complete() bool {
	return meta.IsStatusConditionTrue(c.taskset().Status.Conditions, v1alpha1.ConditionComplete)
}

// everyVariantOnce reads the store.
func (c *chaos) everyVariantOnce(variants int) {
	c.Helper()
	all, err := c.Records(c.Context(), string(c.taskset().UID))
	if err != nil {
		c.Fatal(err)
	}
	finals := map[uint64]int{}
	for _, r := range all {
		if !r.Final {
			continue
		}
		finals[r.Variant]++
		if !r.Succeeded {
			c.Errorf("variant %d failed for good: %s %s", r.Variant, r.Reason, r.Message)
		}
		if len(r.Jobs) != 2 {
			c.Errorf("variant %d has %d jobs, want 2", r.Variant, len(r.Jobs))
		}
	}
	for n := range uint64(variants) {
		if finals[n] != 1 {
			c.Errorf("variant %d has %d final records, want 1", n, finals[n])
		}
	}
	c.Logf("%d variants, %d attempts", len(finals), len(all))
}

// allWell waits until every target is ready again, and checks that there is one pod for each, and that the manager
// has not kept what it opened.
func (c *chaos) allWell() {
	c.Helper()
	for _, name := range targets {
		c.await(name+" to be well", 3*time.Minute, func() bool {
			ts, err := c.Session(c.Context(), name)
			return err == nil && meta.IsStatusConditionTrue(ts.Status.Conditions, v1alpha1.ConditionReady)
		})
	}
	c.await("one pod for each target", time.Minute, func() bool {
		out, err := c.Kubectl(c.Context(), "get", "pods", "-o", "name")
		return err == nil && strings.Count(out, "pod/") == len(targets)
	})
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.ManagerPid()))
	const many = 100 // some thirty are usual
	if err != nil || len(files) > many {
		c.Errorf("the manager has %d files open (%v)", len(files), err)
	}
}
