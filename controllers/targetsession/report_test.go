package targetsession

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/events"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

func verdict(v string) func(*scope) {
	return func(s *scope) { s.agent.State.Verdict, s.agent.State.Ready = v, v == agentapi.VerdictAlive }
}

func waiting(reason, message string, last *corev1.ContainerStateTerminated) func(*scope) {
	return func(s *scope) {
		s.agent = Snapshot{}
		s.pod.Status.Phase = corev1.PodPending
		s.pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
		s.pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = last
	}
}

func TestReportConditions(t *testing.T) {
	const (
		sources, pod, guest = v1alpha1.ConditionSourcesReady, v1alpha1.ConditionPodRunning, v1alpha1.ConditionGuestAlive
		snapshot, allowed   = v1alpha1.ConditionSnapshotUsable, v1alpha1.ConditionRestartAllowed
		exhausted, isReady  = v1alpha1.ConditionRestartsExhausted, v1alpha1.ConditionReady
	)
	cases := map[string]struct {
		scope *scope
		want  map[string]string
		says  map[string]string // condition: part of its message
	}{
		"a healthy target is ready": {scope: world(), want: map[string]string{
			sources: "True/Found", pod: "True/PodRunning", guest: "True/Alive", snapshot: "True/ProofSucceeded",
			allowed: "True/Allowed", exhausted: "absent", isReady: "True/Ready",
		}},
		"a booting guest is not known to live":     {scope: world(verdict("Booting")), want: map[string]string{guest: "Unknown/Booting", isReady: "Unknown/Booting"}},
		"a frozen guest is not ready":              {scope: world(verdict("SilentToPing")), want: map[string]string{guest: "False/SilentToPing", isReady: "False/SilentToPing"}},
		"a paused guest is not ready":              {scope: world(verdict("Paused")), want: map[string]string{guest: "False/Paused"}},
		"a verdict that nobody knows is unknown":   {scope: world(verdict("<garbage>")), want: map[string]string{guest: "Unknown/Unknown"}},
		"an alive guest whose port does not serve": {scope: world(func(s *scope) { s.agent.State.Ready = false }), want: map[string]string{guest: "True/Alive", isReady: "False/NotServing"}},
		"a snapshot whose proof failed": {scope: world(func(s *scope) {
			s.agent.State.Snapshot = agentapi.SnapshotState{State: agentapi.SnapshotProofFailed, Message: "Guest moved used index"}
		}), want: map[string]string{snapshot: "False/ProofFailed", isReady: "True/Ready"}, says: map[string]string{snapshot: "Guest moved used index"}},
		"a silent agent leaves the guest's fate open": {scope: world(func(s *scope) {
			s.agent.Silent, s.agent.SilentSince, s.agent.Error = true, now.Add(-7*time.Second), "refused"
		}), want: map[string]string{pod: "True/PodRunning", guest: "Unknown/AgentSilent", isReady: "Unknown/AgentSilent"}, says: map[string]string{guest: "11:59:53: refused"}},
		"a target that was given up":       {scope: world(hopeless, limit(0)), want: map[string]string{allowed: "False/LimitReached", exhausted: "True/LimitReached", isReady: "False/LimitReached"}, says: map[string]string{exhausted: "raise spec.restart.limit"}},
		"an open breaker says its numbers": {scope: world(hopeless, inFleet(3, 4)), want: map[string]string{allowed: "False/TooManyUnhealthy"}, says: map[string]string{allowed: "3 of 4 targets of pool arm are unhealthy, more than 50%"}},
		"a backoff says when it ends":      {scope: world(hopeless), want: map[string]string{allowed: "False/Backoff"}, says: map[string]string{allowed: "restart 1 of 20 at 12:00:00.500"}},
		"missing sources name the field":   {scope: world(notMade, sourceGone), want: map[string]string{sources: "False/NotFound", pod: "False/Pending", isReady: "False/NotFound"}, says: map[string]string{isReady: "spec.qemu.boot.iso"}},
		"a taken name is told":             {scope: world(notMade, func(s *scope) { s.taken = "Pod arm-0-1" }), want: map[string]string{pod: "False/NameTaken"}, says: map[string]string{pod: "Pod arm-0-1 belongs to somebody else"}},
		"a download that failed names the field": {scope: world(func(s *scope) {
			s.agent, s.pod.Status.ContainerStatuses, s.pod.Status.Phase = Snapshot{}, nil, corev1.PodPending
			s.pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "fetch-kernel", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}, LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: "the SHA-256 is another one"}}}}
		}), want: map[string]string{sources: "False/DownloadFailed"}, says: map[string]string{sources: "spec.qemu.boot.kernel: the SHA-256 is another one"}},
		"an agent that refuses its files":     {scope: world(waiting("CrashLoopBackOff", "back-off", &corev1.ContainerStateTerminated{ExitCode: 78, Message: "spec.qemu.boot.iso: no such file"})), want: map[string]string{sources: "False/Invalid", pod: "False/PodFailed"}, says: map[string]string{sources: "spec.qemu.boot.iso: no such file"}},
		"an agent that crashed says its code": {scope: world(waiting("CrashLoopBackOff", "back-off", &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"})), want: map[string]string{sources: "True/Found", pod: "False/PodFailed"}, says: map[string]string{pod: "code 137 (OOMKilled)"}},
		"an image volume that cannot be pulled": {scope: world(func(s *scope) {
			s.session.Spec.Qemu.Boot.ISO = &v1alpha1.FileSource{Image: "reg/genode:1", Path: "x.iso"}
		}, waiting("ImagePullBackOff", "Back-off pulling image \"reg/genode:1\"", nil)), want: map[string]string{sources: "False/NotFound", pod: "False/PodStarting"}, says: map[string]string{sources: "spec.qemu.boot.iso: image reg/genode:1"}},
		"a pod that no node takes says why": {scope: world(func(s *scope) {
			s.agent, s.pod.Status.ContainerStatuses, s.pod.Status.Phase = Snapshot{}, nil, corev1.PodPending
			s.pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes: Insufficient memory"}}
		}), want: map[string]string{pod: "False/PodStarting"}, says: map[string]string{pod: "Insufficient memory"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			pass(tc.scope)
			for kind, want := range tc.want {
				if got := condition(tc.scope, kind); got != want {
					t.Errorf("%s = %s, want %s", kind, got, want)
				}
			}
			for kind, want := range tc.says {
				if got := message(tc.scope.session, kind); !strings.Contains(got, want) {
					t.Errorf("%s says %q, want %q in it", kind, got, want)
				}
			}
			for _, c := range tc.scope.session.Status.Conditions {
				if c.ObservedGeneration != tc.scope.session.Generation || c.Message == "" {
					t.Errorf("%s has generation %d and message %q", c.Type, c.ObservedGeneration, c.Message)
				}
			}
		})
	}
}

// again is the next pass over the same target, some time later.
func again(s *scope, after time.Duration, changes ...func(*scope)) *scope {
	next := *s
	next.now = s.now.Add(after)
	next.session = s.session.DeepCopy()
	for _, change := range changes {
		change(&next)
	}
	next.before = next.session.DeepCopy()
	return &next
}

func TestReportIsSilentWhileNothingHappens(t *testing.T) {
	first := world()
	pass(first)
	second := again(first, time.Second, func(s *scope) {
		s.agent.Heard, s.agent.State.Time, s.agent.State.LastEcho = s.now, s.now, s.now
		s.agent.State.RoundTripMicroseconds, s.agent.State.Message = 777, "answers, last echo 3 ms ago"
	})
	p := pass(second)
	if diff := cmp.Diff(second.before.Status, second.session.Status); diff != "" {
		t.Errorf("a pass without news writes the status:\n%s", diff)
	}
	if told := transitions(second, p); len(told) != 0 {
		t.Errorf("a pass without news tells %+v", told)
	}
}

func TestCountersAccumulateOverAgents(t *testing.T) {
	counts := func(epoch, incarnation, boots, restore int64) func(*scope) {
		return func(s *scope) {
			s.session.Status.Epoch = epoch
			s.agent.State.Incarnation, s.agent.State.Boots, s.agent.State.Recoveries.Restore = incarnation, boots, restore
		}
	}
	s := world(counts(1, 3, 1, 2))
	for _, step := range []struct {
		say                    string
		change                 func(*scope)
		wantBoots, wantRestore int64
	}{
		{"the first agent's", counts(1, 3, 1, 2), 1, 2},
		{"the same again, as after a restart of the manager", counts(1, 3, 1, 2), 1, 2},
		{"one restore more", counts(1, 4, 1, 3), 1, 3},
		{"an agent that was started anew in the same pod", counts(1, 1, 1, 0), 2, 3},
		{"the agent of another pod with larger counters", counts(2, 9, 2, 5), 4, 8},
	} {
		s = again(s, time.Second, step.change)
		accumulate(&s.session.Status, s.agent.State)
		if got := s.session.Status; got.Boots != step.wantBoots || got.Recoveries.Restore != step.wantRestore {
			t.Errorf("%s: %d boots and %d restores, want %d and %d", step.say, got.Boots, got.Recoveries.Restore, step.wantBoots, step.wantRestore)
		}
	}
}

func TestReplacement(t *testing.T) {
	failed := world(hopeless)
	pass(failed)
	if failed.session.Status.FailedSince == nil || failed.session.Status.Epoch != 1 {
		t.Fatalf("status after the failure: %+v", failed.session.Status)
	}
	replaced := again(failed, time.Second)
	p := pass(replaced)
	st := replaced.session.Status
	if st.Epoch != 2 || st.PodName != "arm-0-2" || st.PodUID != "" || st.Restarts != 1 || st.FailedSince != nil || st.Recoveries.Replace != 1 || p.apply != nil {
		t.Errorf("status after the replacement: %+v, plan %+v", st, p)
	}
	if want := "PodReplaced"; !told(transitions(replaced, p), want) {
		t.Errorf("no event %s", want)
	}
	up := again(replaced, 10*time.Second, func(s *scope) {
		w := world()
		s.pod, s.agent, s.want = w.pod, w.agent, w.want
	})
	p = pass(up)
	if got := up.session.Status.LastRecovery; got == nil || got.Step != v1alpha1.StepReplace || got.OutageMilliseconds == nil || *got.OutageMilliseconds != 11000 {
		t.Errorf("last recovery = %+v, want an outage of 11 s", got)
	}
	if !told(transitions(up, p), "GuestRecovered") {
		t.Error("no event GuestRecovered")
	}
	forgiven := again(up, 11*time.Minute)
	pass(forgiven)
	if got := forgiven.session.Status.Restarts; got != 0 {
		t.Errorf("%d restarts after a healthy period, want 0", got)
	}
}

func told(all []events.Event, reason string) bool {
	for _, e := range all {
		if e.Reason == reason {
			return true
		}
	}
	return false
}

func TestTransitions(t *testing.T) {
	recovery := func(done bool) func(*scope) {
		return func(s *scope) {
			s.agent.State.LastRecovery = &agentapi.Recovery{Step: "Restore", Verdict: "SilentToPing", Time: now, SilentMilliseconds: 912, Done: done, OutageMilliseconds: 71}
			s.agent.State.LastDiagnosis = &agentapi.Diagnosis{Time: now, Verdict: "SilentToPing", RunState: "running", Registers: "RIP=00000000deadbeef", Console: []string{"first", "[init] hello"}}
		}
	}
	frozen := func(s *scope) {
		verdict("SilentToPing")(s)
		s.agent.State.VerdictSince, s.agent.State.LastEcho = now, now.Add(-905*time.Millisecond)
	}
	cases := map[string]struct {
		changes []func(*scope)
		want    []string
	}{
		"a freeze without a diagnosis": {[]func(*scope){frozen}, nil},
		"a freeze that is over again":  {[]func(*scope){recovery(true)}, []string{"Warning GuestFrozen SilentToPing after 912 ms of silence; run state running, program counter 00000000deadbeef, last line of the serial log: [init] hello", "Normal GuestRecovered Restore: the guest answers again, 71 ms after the verdict SilentToPing"}},
		"a freeze that is worked on":   {[]func(*scope){frozen, recovery(false)}, []string{"Warning GuestFrozen SilentToPing after 912 ms of silence; run state running, program counter 00000000deadbeef, last line of the serial log: [init] hello"}},
		"a guest that does not boot": {[]func(*scope){func(s *scope) {
			recovery(false)(s)
			verdict("BootOverdue")(s)
			s.agent.State.LastRecovery.Verdict, s.agent.State.LastDiagnosis.Verdict = "BootOverdue", "BootOverdue"
		}}, []string{"Warning BootOverdue the guest has not come up within 60 s: answers; run state running, program counter 00000000deadbeef, last line of the serial log: [init] hello"}},
		"a failed proof": {[]func(*scope){func(s *scope) {
			s.agent.State.Snapshot = agentapi.SnapshotState{State: agentapi.SnapshotProofFailed, Message: "no echo"}
		}}, []string{"Warning ProofFailed the guest did not survive a restore, so that the step Restore is left out: no echo"}},
		"a target that is given up": {[]func(*scope){hopeless, limit(0)}, []string{"Warning GuestFrozen", "Warning RestartsExhausted 0 of 0 restarts are used up"}},
		"a breaker that opens":      {[]func(*scope){hopeless, inFleet(3, 4)}, []string{"Warning GuestFrozen", "Warning BreakerOpen 3 of 4 targets of pool arm"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			healthy := world()
			pass(healthy)
			s := again(healthy, time.Second, tc.changes...)
			p := pass(s)
			var got []string
			for _, e := range transitions(s, p) {
				got = append(got, e.Type+" "+e.Reason+" "+e.Note)
			}
			if len(got) != len(tc.want) {
				t.Fatalf("events %q, want %q", got, tc.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], tc.want[i]) {
					t.Errorf("event %q, want %q", got[i], tc.want[i])
				}
			}
			next := again(s, time.Second)
			if told := transitions(next, pass(next)); len(told) > 0 {
				t.Errorf("told again: %+v", told)
			}
		})
	}
}

func TestStatusIsBounded(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	s := world(func(s *scope) {
		s.agent.State.Message, s.agent.State.Accelerator = long, long
		s.agent.State.Snapshot = agentapi.SnapshotState{State: agentapi.SnapshotProofFailed, Message: long}
		s.agent.State.LastRecovery = &agentapi.Recovery{Step: "Reset", Verdict: long, Time: now, SilentMilliseconds: -5}
		d := &agentapi.Diagnosis{Time: now, Verdict: long, RunState: long, Registers: "RIP=" + long}
		for range 1000 {
			d.Console = append(d.Console, long)
		}
		s.agent.State.LastDiagnosis = d
		s.missing = []problem{{"NotFound", long}, {"NotFound", long}}
	})
	pass(s)
	raw, err := json.Marshal(s.session.Status)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 32<<10 {
		t.Errorf("status of %d bytes, want less than 32 KiB", len(raw))
	}
	if got := s.session.Status.LastRecovery.SilentMilliseconds; *got != 0 {
		t.Errorf("silentMilliseconds = %d", *got)
	}
}

func TestAStepThatTheAPIDoesNotKnowIsLeftOut(t *testing.T) {
	s := world(func(s *scope) { s.agent.State.LastRecovery = &agentapi.Recovery{Step: "Exorcise", Time: now} })
	pass(s)
	if got := s.session.Status.LastRecovery; got != nil {
		t.Errorf("last recovery = %+v", got)
	}
}

func TestAReplacementIsNotOverwrittenByAnOlderRecovery(t *testing.T) {
	st := &v1alpha1.TargetSessionStatus{LastRecovery: &v1alpha1.Recovery{Step: v1alpha1.StepReplace, Time: metav1.NewMicroTime(now), OutageMilliseconds: ptr.To[int64](5)}}
	reportRecovery(st, &agentapi.Recovery{Step: "Reset", Verdict: "SilentToPing", Time: now.Add(-time.Minute)})
	if st.LastRecovery.Step != v1alpha1.StepReplace {
		t.Errorf("last recovery = %+v", st.LastRecovery)
	}
}

func TestARestartedManagerKeepsWhatIsStored(t *testing.T) {
	healthy := world()
	pass(healthy)
	blind := again(healthy, time.Second, func(s *scope) { s.agent = Snapshot{PodUID: "p1"} })
	p := pass(blind)
	if c := meta.FindStatusCondition(blind.session.Status.Conditions, v1alpha1.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("Ready = %+v, although nothing has been heard yet that speaks against it", c)
	}
	if told := transitions(blind, p); len(told) > 0 {
		t.Errorf("told %+v", told)
	}
}
