package targetsession

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// world is the scope of a healthy target: epoch 1, its pod runs, the guest is alive and ready.
func world(changes ...func(*scope)) *scope {
	ts := &v1alpha1.TargetSession{
		ObjectMeta: metav1.ObjectMeta{Name: "arm-0", Namespace: "lab", UID: "s1", Generation: 1},
		Spec: v1alpha1.TargetSessionSpec{
			Class:  v1alpha1.ClassQemu,
			Qemu:   &v1alpha1.QemuTarget{Preset: v1alpha1.PresetPC, Boot: v1alpha1.BootSource{ISO: &v1alpha1.FileSource{Path: "/genode.iso"}}},
			Health: v1alpha1.HealthSpec{EchoIntervalMilliseconds: 200, EchoTimeoutMilliseconds: 900, BootTimeoutSeconds: 60},
			Restart: v1alpha1.RestartSpec{
				Steps: []v1alpha1.RecoveryStep{"Restore", "Reset", "Relaunch", "Replace"}, Limit: ptr.To[int32](20),
				BackoffBaseMilliseconds: 500, BackoffMaxSeconds: 300, ForgiveAfterSeconds: 600,
			},
		},
		Status: v1alpha1.TargetSessionStatus{Epoch: 1, PodName: "arm-0-1", PodUID: "p1", ObservedGeneration: 1},
	}
	s := &scope{now: now, session: ts, before: ts.DeepCopy(), credentials: agentapi.Credentials{Token: "t"}}
	want, err := target.Pod(ts, target.PodOptions{RunnerImage: "runner", Epoch: 1})
	if err != nil {
		panic(err)
	}
	s.want, s.pod = want, want.DeepCopy()
	s.pod.UID = "p1"
	s.pod.Spec.NodeName, s.pod.Status.PodIP, s.pod.Status.Phase = "n1", "10.0.0.7", corev1.PodRunning
	s.pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: v1alpha1.TargetContainer, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	s.agent = Snapshot{PodUID: "p1", Heard: now, State: agentapi.State{
		Time: now, Verdict: agentapi.VerdictAlive, VerdictSince: now.Add(-time.Minute), Message: "answers", Ready: true,
		Boots: 1, Incarnation: 1, LastEcho: now, Accelerator: "TCG", Snapshot: agentapi.SnapshotState{State: agentapi.SnapshotUsable},
	}}
	for _, change := range changes {
		change(s)
	}
	s.before = s.session.DeepCopy()
	return s
}

func noPod(s *scope)   { s.pod, s.agent = nil, Snapshot{} }
func notMade(s *scope) { noPod(s); s.session.Status.PodUID = "" }
func fresh(s *scope)   { notMade(s); s.session.Status = v1alpha1.TargetSessionStatus{} }
func sourceGone(s *scope) {
	s.missing = []problem{{v1alpha1.ReasonNotFound, "spec.qemu.boot.iso: none"}}
}
func hopeless(s *scope) {
	s.agent.State.NeedsReplacement = true
	s.agent.State.Verdict = agentapi.VerdictSilentToPing
}
func terminating(s *scope) {
	at := metav1.NewTime(now)
	s.pod.DeletionTimestamp = &at
}
func failedFor(d time.Duration) func(*scope) {
	return func(s *scope) {
		at := metav1.NewMicroTime(now.Add(-d))
		s.session.Status.FailedSince = &at
	}
}
func inFleet(unhealthy, size int) func(*scope) {
	return func(s *scope) { s.fleet = fleet{pool: "arm", size: size, unhealthy: unhealthy, maxPercent: 50} }
}
func oldPod(s *scope) {
	s.others = []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "arm-0-0", UID: "p0"}}}
}
func limit(n int32) func(*scope) {
	return func(s *scope) { s.session.Spec.Restart.Limit = &n }
}
func restarted(n int32) func(*scope) { return func(s *scope) { s.session.Status.Restarts = n } }
func otherSpec(s *scope)             { s.pod.Annotations[v1alpha1.AnnotationSpecHash] = "old" }
func edited(s *scope)                { s.session.Generation = 2 }
func withoutReplace(s *scope) {
	s.session.Spec.Restart.Steps = []v1alpha1.RecoveryStep{v1alpha1.StepReset}
}

// outline is a plan in words.
func outline(p plan) string {
	var words []string
	add := func(is bool, word string) {
		if is {
			words = append(words, word)
		}
	}
	add(p.forget, "forget")
	add(p.credentials, "make credentials")
	for _, pod := range p.remove {
		add(true, "remove "+pod.Name)
	}
	add(p.apply != nil, "apply")
	add(p.epoch != 0 && !p.restart, fmt.Sprintf("epoch %d", p.epoch))
	add(p.epoch != 0 && p.restart, fmt.Sprintf("restart as epoch %d", p.epoch))
	add(p.failure.reason != "", "because "+p.failure.reason)
	add(p.hold.reason != "", "hold "+p.hold.reason)
	add(!p.wake.IsZero(), "wake in "+p.wake.Sub(now).String())
	return strings.Join(words, ", ")
}

func TestDecide(t *testing.T) {
	cases := map[string]struct {
		scope *scope
		want  string
	}{
		"a healthy target is left alone":                            {world(), ""},
		"a new session stores its epoch before there is a pod":      {world(fresh), "epoch 1"},
		"a new session waits for its sources":                       {world(fresh, sourceGone), "wake in 5s"},
		"a stored epoch gets its pod":                               {world(notMade), "apply"},
		"a stored epoch waits for its sources":                      {world(notMade, sourceGone), "wake in 5s"},
		"a pod waits until the one before is gone":                  {world(notMade, oldPod), "remove arm-0-0"},
		"a pod of another epoch that ends is not deleted again":     {world(notMade, oldPod, func(s *scope) { s.others[0].DeletionTimestamp = &metav1.Time{Time: now} }), ""},
		"missing credentials come first":                            {world(fresh, func(s *scope) { s.renewCredentials = true }), "make credentials"},
		"a deleted session is forgotten":                            {world(func(s *scope) { s.session.DeletionTimestamp = &metav1.Time{Time: now} }), "forget"},
		"a taken name is left alone":                                {world(notMade, func(s *scope) { s.taken = "Pod arm-0-1" }), "wake in 30s"},
		"a pod that cannot be built waits for a new spec":           {world(fresh, func(s *scope) { s.want = nil }), ""},
		"another spec is another epoch, and no restart":             {world(otherSpec), "epoch 2"},
		"another spec beats a failure":                              {world(otherSpec, hopeless), "epoch 2"},
		"another spec waits for its sources while the old pod runs": {world(otherSpec, sourceGone), "wake in 5s"},
		"a new spec frees a target that was given up":               {world(noPod, edited, limit(0)), "epoch 2"},

		"a hopeless guest is replaced after the backoff":     {world(hopeless, failedFor(500*time.Millisecond)), "restart as epoch 2, because NeedsReplacement"},
		"the first pause is the base":                        {world(hopeless), "because NeedsReplacement, hold Backoff, wake in 500ms"},
		"a restarted manager waits the rest of the pause":    {world(hopeless, failedFor(200*time.Millisecond)), "because NeedsReplacement, hold Backoff, wake in 300ms"},
		"each further pause is twice as long":                {world(hopeless, restarted(3)), "because NeedsReplacement, hold Backoff, wake in 4s"},
		"the limit ends it":                                  {world(hopeless, limit(3), restarted(3), failedFor(time.Hour)), "because NeedsReplacement, hold LimitReached"},
		"a limit of 0 allows no restart":                     {world(hopeless, limit(0)), "because NeedsReplacement, hold LimitReached"},
		"the step can be switched off":                       {world(hopeless, withoutReplace, failedFor(time.Hour)), "because NeedsReplacement, hold SwitchedOff"},
		"a deleted pod comes back without the step":          {world(noPod, withoutReplace, failedFor(time.Hour)), "restart as epoch 2, because PodMissing"},
		"the breaker holds a fleet back":                     {world(hopeless, inFleet(3, 4), failedFor(time.Hour)), "because NeedsReplacement, hold TooManyUnhealthy, wake in 2s"},
		"half of a fleet may be replaced":                    {world(hopeless, inFleet(2, 4), failedFor(time.Hour)), "restart as epoch 2, because NeedsReplacement"},
		"two targets are no fleet":                           {world(hopeless, inFleet(2, 2), failedFor(time.Hour)), "restart as epoch 2, because NeedsReplacement"},
		"a deleted pod comes back while the breaker is open": {world(noPod, inFleet(4, 4), failedFor(time.Hour)), "restart as epoch 2, because PodMissing"},
		"a pod that is being deleted is replaced":            {world(terminating, failedFor(time.Hour)), "restart as epoch 2, because PodMissing"},
		"an evicted pod is replaced":                         {world(func(s *scope) { s.pod.Status.Phase = corev1.PodFailed }, failedFor(time.Hour)), "restart as epoch 2, because PodFailed"},
		"a silent agent has a minute":                        {world(func(s *scope) { s.agent.Silent, s.agent.SilentSince = true, now.Add(-10*time.Second) }), "wake in 50s"},
		"a lost agent is replaced":                           {world(func(s *scope) { s.agent.Silent, s.agent.SilentSince = true, now.Add(-time.Minute) }, failedFor(time.Hour)), "restart as epoch 2, because AgentSilent"},
		"restarts are forgiven at a known time": {world(restarted(2), func(s *scope) {
			s.session.Status.HealthySince = &metav1.Time{Time: now.Add(-9 * time.Minute)}
		}), "wake in 1m0s"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, outline(decide(tc.scope))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecideChangesNothing(t *testing.T) {
	s := world(hopeless, inFleet(3, 4))
	before := s.session.DeepCopy()
	decide(s)
	if diff := cmp.Diff(before, s.session); diff != "" {
		t.Error(diff)
	}
}

// pass is decide and report with an action that worked.
func pass(s *scope) plan {
	p := decide(s)
	report(s, p, nil)
	return p
}

func condition(s *scope, kind string) string {
	c := meta.FindStatusCondition(s.session.Status.Conditions, kind)
	if c == nil {
		return "absent"
	}
	return string(c.Status) + "/" + c.Reason
}
