package taskloader

import (
	"context"
	"errors"

	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// probe finds out the generation of the target; see the package comment.
func (s *link) probe(ctx context.Context) error {
	defer s.conn.guard(ctx)()
	const doing = "find out the generation"
	s.echoesDue++
	if err := s.conn.write(ctx, doing, framing.AppendWords(nil, framing.GetProfile, framing.Available)); err != nil {
		return s.poison(err)
	}
	end := real.Now().Add(s.options.ProbeTimeout)
	guess := taskset.G1608b
	for wait := s.options.ProbeTimeout; wait > 0; wait = end.Sub(real.Now()) {
		item, err := s.conn.next(ctx, doing, framing.Expect{Echo: true}, wait)
		if errors.Is(err, errQuiet) {
			break
		}
		if err != nil {
			return s.poison(err)
		}
		if item.Kind == framing.KindEcho {
			s.echoed()
			return nil
		}
		doc, err := decode(doing, item)
		if err != nil {
			return s.poison(err)
		}
		if !doc.Live && len(doc.Events) == 0 {
			guess = taskset.G1608a
		}
		s.admit(doc.Events, true) // nothing runs: this keeps the clock
	}
	s.generation = guess
	return nil
}
