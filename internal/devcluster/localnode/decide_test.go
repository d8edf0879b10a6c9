package localnode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func state(kind string, code int32) corev1.ContainerState {
	switch kind {
	case "running":
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	case "ended":
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}
	}
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: kind}}
}

func TestPhase(t *testing.T) {
	waits, runs := observed{state: state("w", 0)}, observed{state: state("running", 0)}
	good, bad := observed{state: state("ended", 0)}, observed{state: state("ended", 1)}
	backsOff := observed{state: state(reasonCrashLoop, 0), last: state("ended", 1)}
	tests := map[string]struct {
		policy     corev1.RestartPolicy
		init, main []observed
		ending     bool
		want       corev1.PodPhase
	}{
		"one that has not started":                 {"Always", nil, []observed{waits, runs}, false, corev1.PodPending},
		"all run":                                  {"Always", nil, []observed{runs, runs}, false, corev1.PodRunning},
		"one backs off":                            {"Always", nil, []observed{backsOff}, false, corev1.PodRunning},
		"one that ends is started again":           {"Always", nil, []observed{good}, false, corev1.PodRunning},
		"a failure is tried again":                 {"OnFailure", nil, []observed{bad, good}, false, corev1.PodRunning},
		"all have succeeded":                       {"OnFailure", nil, []observed{good, good}, false, corev1.PodSucceeded},
		"one has failed for good":                  {"Never", nil, []observed{good, bad}, false, corev1.PodFailed},
		"one has failed, another runs":             {"Never", nil, []observed{runs, bad}, false, corev1.PodRunning},
		"an init container runs":                   {"Always", []observed{good, runs}, []observed{waits}, false, corev1.PodPending},
		"an init container is tried again":         {"Always", []observed{bad}, []observed{waits}, false, corev1.PodPending},
		"an init container has failed":             {"Never", []observed{bad}, []observed{waits}, false, corev1.PodFailed},
		"a deleted pod does not come back":         {"Always", nil, []observed{bad}, true, corev1.PodFailed},
		"a deleted pod that backed off has failed": {"Always", nil, []observed{backsOff}, true, corev1.PodFailed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := phase(tc.policy, podView{init: tc.init, main: tc.main, ending: tc.ending}); got != tc.want {
				t.Errorf("phase %s, want %s", got, tc.want)
			}
		})
	}
}

func TestConditionsKeepTheirTimeAndThoseOfOthers(t *testing.T) {
	early, now := metav1.NewTime(time.Unix(100, 0)), metav1.NewTime(time.Unix(200, 0))
	before := corev1.PodStatus{Conditions: []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: early},
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, LastTransitionTime: early},
		{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: early},
		{Type: "gate", Status: corev1.ConditionFalse, LastTransitionTime: early},
	}}
	view := podView{main: []observed{{name: "a", state: state("running", 0), ready: true}}}
	spec := &corev1.PodSpec{ReadinessGates: []corev1.PodReadinessGate{{ConditionType: "gate"}}}
	got := podStatus(&before, spec, view, now).Conditions
	want := []corev1.PodCondition{
		before.Conditions[0],
		before.Conditions[1],
		{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: early, Reason: "ReadinessGatesNotReady", Message: "readiness gates that are not true: [gate]"},
		before.Conditions[3],
		{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: now},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
}

func TestBackoff(t *testing.T) {
	var b backoff
	var got []time.Duration
	for range 8 {
		got = append(got, b.next(time.Second))
	}
	got = append(got, b.next(2*time.Minute))
	want := []time.Duration{0, 1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second, 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("delays (-want +got):\n%s", diff)
	}
}

func TestTally(t *testing.T) {
	var probe tally
	var confirmed []string
	for _, ok := range []bool{false, true, true, false, false, true, false, false, false} {
		verdict, sure := probe.add(ok, 2, 3)
		confirmed = append(confirmed, map[bool]string{true: "+", false: "-"}[verdict]+map[bool]string{true: "!", false: ""}[sure])
	}
	if got, want := strings.Join(confirmed, " "), "- + +! - - + - - -!"; got != want {
		t.Errorf("verdicts %s, want %s", got, want)
	}
}

func TestCredential(t *testing.T) {
	id := func(n int64) *int64 { return &n }
	tests := map[string]struct {
		pod       *corev1.PodSecurityContext
		container *corev1.SecurityContext
		want      string
	}{
		"nothing asked":               {nil, nil, "none"},
		"not root, no user":           {&corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true)}, nil, "65534:65534"},
		"the pod's user and group":    {&corev1.PodSecurityContext{RunAsUser: id(7), RunAsGroup: id(8)}, nil, "7:8"},
		"the container's goes before": {&corev1.PodSecurityContext{RunAsUser: id(7)}, &corev1.SecurityContext{RunAsUser: id(9)}, "9:0"},
		"the container may be root":   {&corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true)}, &corev1.SecurityContext{RunAsNonRoot: ptr.To(false)}, "none"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := "none"
			if c := credential(tc.pod, tc.container); c != nil {
				got = fmt.Sprintf("%d:%d", c.Uid, c.Gid)
			}
			if got != tc.want {
				t.Errorf("credential %s, want %s", got, tc.want)
			}
		})
	}
}

func TestReservedAddressesDiffer(t *testing.T) {
	first, releaseFirst, err := reserveAddress("same", "")
	if err != nil {
		t.Fatal(err)
	}
	second, releaseSecond, err := reserveAddress("same", "")
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Errorf("both have %s", first)
	}
	releaseFirst()
	again, releaseAgain, err := reserveAddress("other", first)
	if err != nil {
		t.Fatal(err)
	}
	if again != first {
		t.Errorf("%s is free and preferred, but got %s", first, again)
	}
	releaseSecond()
	releaseAgain()
}

func TestLogsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	log, err := openLogFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log.limit = 100
	for i := range 50 {
		if _, err := fmt.Fprintf(log, "line %2d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".old"} {
		if info, err := os.Stat(file); err != nil || info.Size() > 100 {
			t.Errorf("%s: %v bytes, %v", file, info.Size(), err)
		}
	}
	tests := map[string]struct {
		query logQuery
		want  string
	}{
		"the last lines": {logQuery{tail: 2, limit: -1}, "line 48\nline 49\n"},
		"no lines":       {logQuery{tail: 0, limit: -1}, ""},
		"some bytes":     {logQuery{tail: 1, limit: 4}, "line"},
		"across files":   {logQuery{tail: 14, limit: 8}, "line 36\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := copyLog(context.Background(), &out, path, tc.query, func() bool { return true }); err != nil && !errors.Is(err, errLimit) {
				t.Fatal(err)
			}
			if out.String() != tc.want {
				t.Errorf("got %q, want %q", out.String(), tc.want)
			}
		})
	}
}

func TestTerminationMessage(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty, full, log := write("empty", ""), write("full", strings.Repeat("x", 5000)), write("log", "a\nb\n")
	fallback := &corev1.Container{TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError}
	tests := map[string]struct {
		container *corev1.Container
		file      string
		failed    bool
		want      string
	}{
		"a long one is cut":              {fallback, full, true, strings.Repeat("x", 4096)},
		"the log stands in on a failure": {fallback, empty, true, "a\nb\n"},
		"not on success":                 {fallback, empty, false, ""},
		"not unless asked for":           {&corev1.Container{}, empty, true, ""},
		"a file that is gone":            {fallback, filepath.Join(dir, "none"), true, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := terminationMessage(tc.container, tc.file, log, tc.failed); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
