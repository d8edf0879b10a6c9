package supervisor

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// report is s as clients of the API see it.
func (s state) report(now time.Time) agentapi.State {
	r := agentapi.State{
		Time:                  now,
		Verdict:               s.verdict.Name,
		VerdictSince:          s.since,
		Message:               s.verdict.Message,
		Ready:                 s.ready(),
		NeedsReplacement:      s.phase == lost,
		RunState:              s.runState,
		LastEcho:              s.lastReply,
		RoundTripMicroseconds: s.roundTrip.Microseconds(),
		Accelerator:           AcceleratorTCG,
		Boots:                 s.boots,
		Incarnation:           s.incarnation,
		Snapshot:              s.snapshot,
		Recoveries:            s.counts,
		LastRecovery:          s.lastRecovery,
	}
	if s.kvm {
		r.Accelerator = AcceleratorKVM
	}
	if r.LastEcho.IsZero() {
		r.RoundTripMicroseconds = 0
	}
	return r
}

// sameNews is true when b tells a watcher nothing that a did not: times that change with each echo and
// message texts with times in them are no news.
func sameNews(a, b agentapi.State) bool {
	for _, s := range []*agentapi.State{&a, &b} {
		s.Time, s.LastEcho, s.RoundTripMicroseconds, s.OpenConnections = time.Time{}, time.Time{}, 0, 0
	}
	return a == b // pointers in it are replaced when what they point to changes
}
