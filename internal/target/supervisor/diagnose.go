package supervisor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/vnet"
)

const (
	diagnosisLines  = 200
	diagnosisEchoes = 32
)

// echoRing keeps the newest echoes.
type echoRing struct {
	mu     sync.Mutex
	echoes []agentapi.Echo
}

// add takes a request, or the reply to one that it has.
func (r *echoRing) add(e vnet.Echo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.echoes) - 1; i >= 0 && !e.Received.IsZero(); i-- {
		if r.echoes[i].Sent.Equal(e.Sent) {
			r.echoes[i].RoundTripMicroseconds = max(e.RoundTrip.Microseconds(), 1)
			return
		}
	}
	if !e.Received.IsZero() {
		return // of a request that is forgotten
	}
	if len(r.echoes) == diagnosisEchoes {
		copy(r.echoes, r.echoes[1:])
		r.echoes = r.echoes[:diagnosisEchoes-1]
	}
	r.echoes = append(r.echoes, agentapi.Echo{Sent: e.Sent})
}

func (r *echoRing) all() []agentapi.Echo {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]agentapi.Echo(nil), r.echoes...)
}

// diagnose gathers what a guest looks like, within diagnosisBudget; what could not be found out is noted.
func (s *Supervisor) diagnose(ctx context.Context, a diagnose, m Machine) {
	d := agentapi.Diagnosis{
		Time: time.Now(), Verdict: a.verdict.Name, Message: a.verdict.Message,
		Console: s.cfg.Console.Lines(diagnosisLines), Echoes: s.echoes.all(),
	}
	switch {
	case m == nil || !a.talk:
		d.Errors = append(d.Errors, "QEMU was not asked: it does not run, or has not answered before")
	default:
		bounded, cancel := context.WithTimeout(ctx, diagnosisBudget)
		defer cancel()
		var err error
		if d.RunState, err = m.RunState(bounded); err != nil {
			d.Errors = append(d.Errors, fmt.Sprintf("run state: %v", err))
		}
		if d.Registers, err = m.Registers(bounded); err != nil {
			d.Errors = append(d.Errors, fmt.Sprintf("registers: %v", err))
		}
	}
	s.keep(d)
	s.post(ctx, done{job: a.job})
}

// keep makes d the newest diagnosis.
func (s *Supervisor) keep(d agentapi.Diagnosis) {
	short := d.Short()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.diagnosis = &d
	s.published.LastDiagnosis = &short
	s.tellLocked()
}

// nameStep adds to the newest diagnosis which step followed.
func (s *Supervisor) nameStep(step Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.diagnosis == nil || s.published.LastDiagnosis == nil {
		return
	}
	full, short := *s.diagnosis, *s.published.LastDiagnosis
	full.Step, short.Step = string(step), string(step)
	s.diagnosis, s.published.LastDiagnosis = &full, &short
	s.tellLocked()
}

// note writes the log and the metrics.
func (s *Supervisor) note(n note) {
	log := s.cfg.Log
	switch n.kind {
	case noteUnhealthy:
		s.cfg.Metrics.freeze(n.verdict, n.took)
	case noteStep:
		s.nameStep(n.step)
	case noteRecovered:
		s.cfg.Metrics.recovered(n.step, n.took)
	case noteReset, noteFalseAlarm, noteNoSnapshot:
		s.cfg.Metrics.happened(n.kind)
	}
	var details []any
	for _, pair := range []struct {
		key   string
		value any
		given bool
	}{
		{"verdict", n.verdict, n.verdict != ""}, {"step", string(n.step), n.step != ""},
		{"took", n.took.Round(time.Millisecond).String(), n.took > 0}, {"detail", n.message, n.message != ""},
	} {
		if pair.given {
			details = append(details, pair.key, pair.value)
		}
	}
	log.Info(string(n.kind), details...)
}
