// Package e2e runs the whole product on this machine and checks what a user would see: a real control
// plane, real virtual machines, the real protocol. See package lab for how.
package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// newLab starts a lab, and checks after the test that nothing of it is left.
func newLab(t *testing.T) *lab.Lab {
	t.Helper()
	repo, err := assets.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	guest, tasks := os.Getenv("REFGUEST_IMAGE"), os.Getenv("REFGUEST_TASKS")
	if guest == "" || tasks == "" {
		t.Skip("REFGUEST_IMAGE and REFGUEST_TASKS are not set: run this by make e2e")
	}
	l, err := lab.Start(t.Context(), lab.Options{Guest: guest, Tasks: tasks, Programs: filepath.Join(repo, "bin"), Out: t.Output()})
	t.Cleanup(func() {
		if t.Failed() {
			explain(t, l)
		}
		l.Stop()
		for _, p := range leftovers(l.Dir) {
			t.Errorf("still running after the end: %s", p)
		}
		if _, err := os.Stat(l.Dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there after the end", l.Dir)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func explain(t *testing.T, l *lab.Lab) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, args := range [][]string{{"get", "tasksets,targetpools,targetsessions,pods", "-o", "wide"}, {"describe", "tasksets,targetsessions"}, {"get", "events", "--sort-by=.metadata.creationTimestamp"}} {
		out, err := l.Kubectl(ctx, args...)
		t.Log(out, err)
	}
	log, err := os.ReadFile(l.ManagerLog())
	t.Logf("manager.log (%v):\n%s", err, log[max(0, len(log)-8000):])
}

// leftovers are the processes of this machine whose command line names the folder.
func leftovers(dir string) []string {
	var out []string
	for _, p := range lab.Processes(dir) {
		out = append(out, fmt.Sprintf("%d %s", p.Pid, p.Command))
	}
	return out
}

func kubectl(t *testing.T, l *lab.Lab, args ...string) string {
	t.Helper()
	out, err := l.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// apply applies YAML.
func apply(t *testing.T, l *lab.Lab, yaml string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "objects.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl(t, l, "apply", "-f", file)
}

// await polls until ok holds.
func await(t *testing.T, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(limit); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %s for %s", limit, what)
		}
	}
}

func taskset(t *testing.T, l *lab.Lab, name string) *v1alpha1.TaskSet {
	t.Helper()
	var ts v1alpha1.TaskSet
	if err := l.Get(t.Context(), types.NamespacedName{Namespace: "default", Name: name}, &ts); err != nil {
		t.Logf("TaskSet %s: %v", name, err) // the API server may be down right now
	}
	return &ts
}

func session(t *testing.T, l *lab.Lab, name string) *v1alpha1.TargetSession {
	t.Helper()
	ts, err := l.Session(t.Context(), name)
	if err != nil {
		t.Logf("TargetSession %s: %v", name, err)
	}
	return ts
}

func condition(list []metav1.Condition, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(list, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}

func ready(ts *v1alpha1.TargetSession) bool {
	return meta.IsStatusConditionTrue(ts.Status.Conditions, v1alpha1.ConditionReady)
}

// everyVariantOnce reads the store: each variant has exactly one final record, and it succeeded.
func everyVariantOnce(t *testing.T, l *lab.Lab, ts *v1alpha1.TaskSet, total int) {
	t.Helper()
	all, err := l.Records(t.Context(), string(ts.UID))
	if err != nil {
		t.Fatal(err)
	}
	finals := map[uint64]int{}
	for _, r := range all {
		switch {
		case !r.Final:
			t.Logf("variant %d attempt %d on %s: %s %s", r.Variant, r.Attempt, r.Target, r.Reason, r.Message)
			continue
		case !r.Succeeded:
			t.Errorf("variant %d failed: %s %s", r.Variant, r.Reason, r.Message)
		}
		finals[r.Variant]++
	}
	for n := range uint64(total) {
		if finals[n] != 1 {
			t.Errorf("variant %d has %d final records, want 1", n, finals[n])
		}
	}
	if len(finals) != total {
		t.Errorf("%d variants have a final record, want %d", len(finals), total)
	}
	if want := fmt.Sprintf("%d/%d", total, total); ts.Status.Progress != want {
		t.Errorf("progress %s, want %s", ts.Status.Progress, want)
	}
}

func complete(t *testing.T, l *lab.Lab, name string) func() bool {
	return func() bool {
		return condition(taskset(t, l, name).Status.Conditions, v1alpha1.ConditionComplete).Status == metav1.ConditionTrue
	}
}

func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }
