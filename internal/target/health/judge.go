package health

import (
	"fmt"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// Discounts of time without a chance to answer go up to this multiple of the limit, less one: a guest that
// is silent for silenceBound times the echo time-out is frozen whatever the reason, and a boot is overdue
// after bootBound boot time-outs.
const (
	silenceBound = 10
	bootBound    = 3
)

// usualShare is the part (one of so many) of a limit for which QEMU may wait for a CPU without any of it
// being discounted: on a machine with anything else to do it always waits a little, and answers all the same.
const usualShare = 8

// shortestLook is the least time until a discounted limit is looked at again.
const shortestLook = 5 * time.Millisecond

type rule func(Observation, Settings) (Verdict, bool)

var chain = []rule{qemuExited, stopped, paused, rebootLoop, bootOverdue, booting, silentToPing, alive}

// Judge returns the verdict of the first rule that applies.
func Judge(o Observation, s Settings) Verdict {
	s = s.WithDefaults()
	for _, r := range chain {
		if v, ok := r(o, s); ok {
			return v
		}
	}
	return Verdict{Name: agentapi.VerdictUnknown, Message: "QEMU is being started"}
}

// Unhealthy reports whether something has to be done about a guest with this verdict.
func Unhealthy(verdict string) bool {
	switch verdict {
	case agentapi.VerdictQEMUExited, agentapi.VerdictStopped, agentapi.VerdictRebootLoop,
		agentapi.VerdictBootOverdue, agentapi.VerdictSilentToPing:
		return true
	}
	return false
}

func qemuExited(o Observation, _ Settings) (Verdict, bool) {
	if o.Process != ProcessExited {
		return Verdict{}, false
	}
	how := o.ExitMessage
	if how == "" {
		how = "status unknown"
	}
	return Verdict{Name: agentapi.VerdictQEMUExited, Message: "QEMU has ended: " + how, Since: o.LastReply}, true
}

func stopped(o Observation, _ Settings) (Verdict, bool) {
	if o.Process != ProcessRunning || o.PausedOnPurpose || !stands(o.RunState) {
		return Verdict{}, false
	}
	return Verdict{
		Name:    agentapi.VerdictStopped,
		Message: fmt.Sprintf("QEMU stopped the guest by itself: run state %s", o.RunState),
		Since:   o.LastReply,
	}, true
}

// stands is true for run states in which a guest stays for ever unless somebody does something.
func stands(runState string) bool {
	switch runState {
	case "guest-panicked", "internal-error", "io-error", "shutdown", "watchdog", "paused", "debug", "prelaunch":
		return true
	}
	return false
}

func paused(o Observation, _ Settings) (Verdict, bool) {
	if o.Process != ProcessRunning || !o.PausedOnPurpose {
		return Verdict{}, false
	}
	return Verdict{Name: agentapi.VerdictPaused, Message: "stopped on purpose; continue it through the agent's API", Since: o.PausedSince}, true
}

func rebootLoop(o Observation, s Settings) (Verdict, bool) {
	n := 0
	for _, at := range o.GuestResets {
		if o.Now.Sub(at) <= s.BootTimeout {
			n++
		}
	}
	if o.Process != ProcessRunning || n <= s.RebootLimit {
		return Verdict{}, false
	}
	return Verdict{
		Name:    agentapi.VerdictRebootLoop,
		Message: fmt.Sprintf("the guest reset itself %d times within %s; %d are allowed", n, s.BootTimeout, s.RebootLimit),
		Since:   o.Started,
	}, true
}

func bootOverdue(o Observation, s Settings) (Verdict, bool) {
	elapsed := counted(o, latest(o.Started, o.Resumed), s.BootTimeout, bootBound)
	if o.Process != ProcessRunning || o.Up || o.Started.IsZero() || elapsed < s.BootTimeout {
		return Verdict{}, false
	}
	return Verdict{
		Name:    agentapi.VerdictBootOverdue,
		Message: fmt.Sprintf("not up %s after its start (time-out %s): %s", round(o.Now.Sub(o.Started)), s.BootTimeout, missing(o)),
		Since:   o.Started,
	}, true
}

func booting(o Observation, s Settings) (Verdict, bool) {
	if o.Process != ProcessRunning || o.Up || o.Started.IsZero() {
		return Verdict{}, false
	}
	elapsed := counted(o, latest(o.Started, o.Resumed), s.BootTimeout, bootBound)
	return Verdict{
		Name:    agentapi.VerdictBooting,
		Message: missing(o),
		Since:   o.Started,
		Next:    look(o.Now, s.BootTimeout-elapsed),
	}, true
}

func missing(o Observation) string {
	if o.Missing != "" {
		return o.Missing
	}
	return "no echo reply yet"
}

func silentToPing(o Observation, s Settings) (Verdict, bool) {
	heard := latest(o.LastReply, o.Resumed, o.Started)
	if o.Process != ProcessRunning || !o.Up || heard.IsZero() {
		return Verdict{}, false
	}
	silence := counted(o, heard, s.EchoTimeout, silenceBound)
	if silence < s.EchoTimeout {
		return Verdict{}, false
	}
	total := o.Now.Sub(heard)
	message := fmt.Sprintf("no echo reply for %s (time-out %s)", round(total), s.EchoTimeout)
	if spared := total - silence; spared >= time.Millisecond {
		message += fmt.Sprintf(", of which %s are not counted for want of CPU time (QEMU waited %s for a CPU, the agent was late by %s)",
			round(spared), round(o.CPUWait), round(o.Late))
	}
	return Verdict{Name: agentapi.VerdictSilentToPing, Message: message, Since: heard}, true
}

func alive(o Observation, s Settings) (Verdict, bool) {
	if o.Process != ProcessRunning || !o.Up {
		return Verdict{}, false
	}
	heard := latest(o.LastReply, o.Resumed, o.Started)
	silence := counted(o, heard, s.EchoTimeout, silenceBound)
	return Verdict{Name: agentapi.VerdictAlive, Since: heard, Next: look(o.Now, s.EchoTimeout-silence)}, true
}

// counted is the time since from in which the guest had a chance; at least what lies beyond the bound.
func counted(o Observation, from time.Time, limit time.Duration, bound int) time.Duration {
	total := max(o.Now.Sub(from), 0)
	spared := max(max(o.CPUWait, 0)+max(o.Late, 0)-limit/usualShare, 0)
	longest := limit * time.Duration(bound-1)
	return total - min(spared, longest, total)
}

// look is when to judge again, rest before a limit: no sooner than makes sense.
func look(now time.Time, rest time.Duration) time.Time {
	return now.Add(max(rest, shortestLook))
}

func latest(times ...time.Time) time.Time {
	var newest time.Time
	for _, t := range times {
		if t.After(newest) {
			newest = t
		}
	}
	return newest
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
