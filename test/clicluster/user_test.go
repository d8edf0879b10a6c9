package clicluster

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
	"github.com/genode-operator/genode-operator/internal/taskset/library"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

// result is what a command left.
type result struct {
	code     int
	out, log string
}

// want checks the exit code, and that something was said.
func (r result) want(t testing.TB, code int, says ...string) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\n%s%s", r.code, code, r.out, r.log)
	}
	for _, s := range says {
		if !strings.Contains(r.out+r.log, s) {
			t.Errorf("nothing says %q:\n%s%s", s, r.out, r.log)
		}
	}
	return r
}

// command prepares one of the programs for the user.
func (l *lab) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(programs, program), args...)
	cmd.Dir = l.home
	cmd.Env = append(os.Environ(), "HOME="+l.home, "XDG_STATE_HOME="+filepath.Join(l.home, "state"), "KUBECONFIG="+l.kubeconfig, "GENODE_MANAGER="+l.api)
	return cmd
}

// do runs a program to its end.
func (l *lab) do(program string, args ...string) result {
	l.Helper()
	return l.begin(program, args...)()
}

// begin starts a program; the function waits for its end. The end of the test kills it.
func (l *lab) begin(program string, args ...string) (end func() result) {
	l.Helper()
	cmd := l.command(program, args...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		l.Fatal(err)
	}
	end = sync.OnceValue(func() result {
		_ = cmd.Wait() // the exit code says how it ended
		return result{cmd.ProcessState.ExitCode(), out.String(), log.String()}
	})
	l.Cleanup(func() {
		_ = cmd.Process.Kill()
		end()
	})
	return end
}

// write makes a file with a task-set of the library for this cluster, and a change to its spec.
func (l *lab) write(file, name, set string, change func(*v1alpha1.TaskSetSpec)) {
	l.Helper()
	known, err := library.TaskSet(set)
	if err != nil {
		l.Fatal(err)
	}
	ts := v1alpha1.TaskSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "TaskSet"},
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: known.Spec,
	}
	ts.Spec.Targets.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"lab": "boards"}}
	ts.Spec.Binaries = []v1alpha1.BinarySource{{Name: "hey", ConfigMap: "binaries"}}
	if change != nil {
		change(&ts.Spec)
	}
	text, err := yaml.Marshal(ts)
	if err != nil {
		l.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.home, file), text, 0o600); err != nil {
		l.Fatal(err)
	}
}

// records are those that a command has printed as JSON Lines.
func (l *lab) records(r result) (all []export.Record) {
	l.Helper()
	r.want(l, 0)
	for line := range strings.Lines(r.out) {
		var record export.Record
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			l.Fatalf("%v in %q", err, line)
		}
		all = append(all, record)
	}
	return all
}

// own is the user's own store.
func (l *lab) own() string { return filepath.Join(l.home, "state", "genodectl", "results.db") }

// campaign is what a store knows about a campaign.
func (l *lab) campaign(path, name string) results.Campaign {
	l.Helper()
	store, err := results.OpenSQLite(context.Background(), path)
	if err != nil {
		l.Fatal(err)
	}
	defer store.Close()
	all, err := store.Campaigns(context.Background())
	if err != nil {
		l.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c results.Campaign) bool { return c.Name == name })
	if i < 0 {
		l.Fatalf("%s has no campaign %s", path, name)
	}
	return all[i]
}

// await waits for a state of a TaskSet.
func (l *lab) await(name, what string, is func(*v1alpha1.TaskSet) bool) *v1alpha1.TaskSet {
	l.Helper()
	return testenv.Await(l.Lab, name, &v1alpha1.TaskSet{}, what, is)
}

func complete(ts *v1alpha1.TaskSet) bool {
	return meta.IsStatusConditionTrue(ts.Status.Conditions, v1alpha1.ConditionComplete)
}

// reason is why a campaign makes progress, or none.
func reason(ts *v1alpha1.TaskSet) string {
	if c := meta.FindStatusCondition(ts.Status.Conditions, v1alpha1.ConditionProgressing); c != nil {
		return c.Reason
	}
	return ""
}
