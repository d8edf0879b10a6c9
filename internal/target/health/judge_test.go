package health

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

const ms = time.Millisecond

// up is a guest that came up, answered 10 s after its start, and is looked at so much later.
func up(later time.Duration, change func(*Observation)) Observation {
	o := Observation{
		Now: at(10*time.Second + later), Process: ProcessRunning, RunState: "running",
		Started: start, Up: true, LastReply: at(10 * time.Second),
	}
	if change != nil {
		change(&o)
	}
	return o
}

// starting is a guest that has not come up yet.
func starting(later time.Duration, change func(*Observation)) Observation {
	o := Observation{Now: at(later), Process: ProcessRunning, RunState: "running", Started: start}
	if change != nil {
		change(&o)
	}
	return o
}

func TestJudge(t *testing.T) {
	cases := map[string]struct {
		obs         Observation
		settings    Settings
		want        string
		wantMessage string    // part of it
		wantNext    time.Time // not looked at when zero
	}{
		"nothing was started": {obs: Observation{Now: start}, want: agentapi.VerdictUnknown, wantMessage: "being started"},
		"a process that ended counts before everything else": {
			obs: up(0, func(o *Observation) {
				o.Process, o.ExitMessage, o.PausedOnPurpose = ProcessExited, "exit status 1", true
			}),
			want: agentapi.VerdictQEMUExited, wantMessage: "exit status 1"},
		"a guest that answered just now is alive": {
			obs: up(0, nil), want: agentapi.VerdictAlive, wantNext: at(10900 * ms)},
		"a guest that is silent for less than the time-out is alive": {
			obs: up(899*ms, nil), want: agentapi.VerdictAlive},
		"a guest that is silent for the time-out is frozen": {
			obs: up(900*ms, nil), want: agentapi.VerdictSilentToPing, wantMessage: "no echo reply for 900ms (time-out 900ms)"},
		"a fast setting finds a frozen guest in a quarter of a second": {
			obs: up(250*ms, nil), settings: Settings{EchoTimeout: 250 * ms}, want: agentapi.VerdictSilentToPing},
		"a guest whose QEMU waited for a CPU is slow, not frozen": {
			obs:  up(1500*ms, func(o *Observation) { o.CPUWait = 812500 * time.Microsecond }),
			want: agentapi.VerdictAlive, wantNext: at(10*time.Second + 1600*ms)},
		"a guest that is silent although QEMU had the CPU long enough is frozen": {
			obs:  up(1600*ms, func(o *Observation) { o.CPUWait = 812500 * time.Microsecond }),
			want: agentapi.VerdictSilentToPing, wantMessage: "700ms are not counted for want of CPU time (QEMU waited 813ms for a CPU, the agent was late by 0s)"},
		"an eighth of the time-out is what QEMU waits anyway": {
			obs: up(900*ms, func(o *Observation) { o.CPUWait = 112 * ms }), want: agentapi.VerdictSilentToPing},
		"a late watcher blames itself": {
			obs: up(5*time.Second, func(o *Observation) { o.Late = 4500 * ms }), want: agentapi.VerdictAlive},
		"waiting and lateness add up": {
			obs: up(2*time.Second, func(o *Observation) { o.Late, o.CPUWait = 610*ms, 610*ms }), want: agentapi.VerdictAlive},
		"ten time-outs of silence are a freeze whatever the reason": {
			obs: up(9*time.Second, func(o *Observation) { o.CPUWait = time.Hour }), want: agentapi.VerdictSilentToPing},
		"silence is counted from the end of a pause": {
			obs: up(5*time.Second, func(o *Observation) { o.Resumed = at(14500 * ms) }), want: agentapi.VerdictAlive},
		"a guest that was paused on purpose is not frozen": {
			obs:  up(time.Hour, func(o *Observation) { o.RunState, o.PausedOnPurpose = "paused", true }),
			want: agentapi.VerdictPaused},
		"a guest that somebody else paused is stopped": {
			obs: up(0, func(o *Observation) { o.RunState = "paused" }), want: agentapi.VerdictStopped},
		"a panic is seen at once": {
			obs:  up(0, func(o *Observation) { o.RunState = "guest-panicked" }),
			want: agentapi.VerdictStopped, wantMessage: "run state guest-panicked"},
		"an I/O error is seen at once":       {obs: up(0, func(o *Observation) { o.RunState = "io-error" }), want: agentapi.VerdictStopped},
		"an internal error is seen at once":  {obs: up(0, func(o *Observation) { o.RunState = "internal-error" }), want: agentapi.VerdictStopped},
		"a guest that sleeps answers or not": {obs: up(0, func(o *Observation) { o.RunState = "suspended" }), want: agentapi.VerdictAlive},
		"a guest that has just been started boots": {
			obs: starting(0, nil), want: agentapi.VerdictBooting, wantMessage: "no echo reply yet", wantNext: at(time.Minute)},
		"a guest that answers but is not up yet boots": {
			obs:  starting(59*time.Second, func(o *Observation) { o.LastReply, o.Missing = at(time.Second), "port 3001 does not accept" }),
			want: agentapi.VerdictBooting, wantMessage: "port 3001 does not accept"},
		"a boot that takes its time-out is overdue": {
			obs: starting(time.Minute, nil), want: agentapi.VerdictBootOverdue, wantMessage: "not up 1m0s after its start (time-out 1m0s): no echo reply yet"},
		"a boot on a busy machine gets more time": {
			obs: starting(80*time.Second, func(o *Observation) { o.CPUWait = 30 * time.Second }), want: agentapi.VerdictBooting},
		"three boot time-outs are enough on any machine": {
			obs: starting(3*time.Minute, func(o *Observation) { o.CPUWait = time.Hour }), want: agentapi.VerdictBootOverdue},
		"a pause while booting is not counted": {
			obs: starting(2*time.Minute, func(o *Observation) { o.Resumed = at(90 * time.Second) }), want: agentapi.VerdictBooting},
		"as many resets as allowed are no loop": {
			obs:  starting(5*time.Second, func(o *Observation) { o.GuestResets = []time.Time{at(0), at(ms), at(2 * ms)} }),
			want: agentapi.VerdictBooting},
		"one reset more is a loop": {
			obs:  starting(5*time.Second, func(o *Observation) { o.GuestResets = []time.Time{at(0), at(1), at(2), at(3)} }),
			want: agentapi.VerdictRebootLoop, wantMessage: "4 times within 1m0s; 3 are allowed"},
		"a loop is a loop even when the guest answers in between": {
			obs:  up(0, func(o *Observation) { o.GuestResets = []time.Time{at(0), at(1), at(2), at(3)} }),
			want: agentapi.VerdictRebootLoop},
		"resets of long ago are forgotten": {
			obs:  up(2*time.Minute-10*time.Second, func(o *Observation) { o.GuestResets = []time.Time{at(0), at(1), at(2), at(3)}; o.LastReply = o.Now }),
			want: agentapi.VerdictAlive},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Judge(tc.obs, tc.settings)
			if got.Name != tc.want || !strings.Contains(got.Message, tc.wantMessage) {
				t.Errorf("Judge = %s (%q), want %s (…%q…)", got.Name, got.Message, tc.want, tc.wantMessage)
			}
			if !tc.wantNext.IsZero() && !got.Next.Equal(tc.wantNext) {
				t.Errorf("next look at %v, want %v", got.Next.Sub(start), tc.wantNext.Sub(start))
			}
		})
	}
}

func TestUnhealthy(t *testing.T) {
	for verdict, want := range map[string]bool{
		agentapi.VerdictUnknown: false, agentapi.VerdictBooting: false, agentapi.VerdictAlive: false,
		agentapi.VerdictPaused: false, agentapi.VerdictBootOverdue: true, agentapi.VerdictSilentToPing: true,
		agentapi.VerdictStopped: true, agentapi.VerdictQEMUExited: true, agentapi.VerdictRebootLoop: true,
	} {
		if got := Unhealthy(verdict); got != want {
			t.Errorf("Unhealthy(%s) = %t, want %t", verdict, got, want)
		}
	}
}

// Whoever looks again at Next finds a silent guest in the end: no verdict waits for ever, and none is
// looked at in a hot loop.
func TestEverySilentGuestIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := up(0, func(o *Observation) { o.Up = rapid.Bool().Draw(t, "up") })
		s := Settings{
			EchoTimeout: time.Duration(rapid.Int64Range(100, 5000).Draw(t, "echo")) * ms,
			BootTimeout: time.Duration(rapid.Int64Range(10, 100).Draw(t, "boot")) * time.Second,
		}
		share := rapid.Float64Range(0, 2).Draw(t, "waiting share")
		for range 100_000 {
			v := Judge(o, s)
			if Unhealthy(v.Name) {
				return
			}
			if !v.Next.After(o.Now) {
				t.Fatalf("%s at %v is to be looked at again at %v", v.Name, o.Now.Sub(start), v.Next.Sub(start))
			}
			o.CPUWait += time.Duration(float64(v.Next.Sub(o.Now)) * share)
			o.Now = v.Next
		}
		t.Fatal("never found")
	})
}
