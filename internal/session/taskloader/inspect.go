package taskloader

import (
	"context"
	"errors"
	"fmt"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Live implements session.Inspector. Every generation knows the word. Those that push say nothing when they have
// nothing to tell, which shows by the answer to a second query (1802) or by Quiet of silence. The empty slots of the
// target's table are left out.
func (s *link) Live(ctx context.Context) ([]framing.Thread, error) {
	docs, err := s.ask(ctx, framing.GetLive, func(d framing.Document) bool { return d.Live })
	var threads []framing.Thread
	for _, d := range docs {
		for _, thread := range d.Threads {
			if thread != (framing.Thread{}) {
				threads = append(threads, thread)
			}
		}
	}
	return threads, err
}

// Profile implements session.Inspector. What the target pushes at the same moment cannot be told from its
// answer.
func (s *link) Profile(ctx context.Context) ([]framing.Event, error) {
	if s.generation == taskset.G2017 {
		return nil, fmt.Errorf("target %s: ask for the profile: %w %s; use 1608a or newer", s.target.Name, session.ErrUnsupported, s.generation)
	}
	docs, err := s.ask(ctx, framing.GetProfile, func(d framing.Document) bool { return !d.Live })
	var events []framing.Event
	for _, d := range docs {
		events = append(events, d.Events...)
	}
	return events, err
}

// ask sends a query and returns the documents that answer it. When ctx ends the session stays usable: an answer that
// comes later is taken for what it is.
func (s *link) ask(ctx context.Context, query framing.Word, answers func(framing.Document) bool) ([]framing.Document, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ask target %s: %w", s.target.Name, err)
	}
	defer s.conn.guard(ctx)()
	words := []framing.Word{query}
	if s.generation == taskset.G1802 {
		s.echoesDue++
		words = append(words, framing.Available) // comes back behind the answer, if there is one
	}
	if err := s.send(ctx, "ask the target", framing.AppendWords(nil, words...)); err != nil {
		return nil, s.poison(err)
	}
	docs, err := s.replies(ctx, answers)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return docs, err // between or inside items, but none is lost
	}
	return docs, s.poison(err)
}

// replies collects the documents that answer a query.
func (s *link) replies(ctx context.Context, answers func(framing.Document) bool) ([]framing.Document, error) {
	const doing = "wait for the answer of the target"
	sure := s.generation == taskset.G2017 || s.generation == taskset.G1802 // something comes in any case
	wait := s.options.Quiet
	if sure {
		wait = s.options.IOTimeout
	}
	var docs []framing.Document
	for {
		item, err := s.conn.next(ctx, doing, framing.Expect{Echo: s.echoesDue > 0}, wait)
		if errors.Is(err, errQuiet) && !sure {
			return docs, nil
		}
		if errors.Is(err, errQuiet) {
			err = fmt.Errorf("%s: %w: nothing in %s", doing, session.ErrTimeout, wait)
		}
		if err != nil {
			return docs, err
		}
		over, err := s.reply(doing, item, answers, &docs)
		if err != nil || over {
			return docs, err
		}
	}
}

// reply takes an item that came while an answer was waited for, and says whether no other one can come.
func (s *link) reply(doing string, item framing.Item, answers func(framing.Document) bool, docs *[]framing.Document) (over bool, err error) {
	if item.Kind == framing.KindEcho {
		s.echoed()
		return s.echoesDue == 0, nil
	}
	doc, err := decode(doing, item)
	if err != nil {
		return false, err
	}
	s.kept = append(s.kept, s.digest(doc)...)
	if answers(doc) {
		*docs = append(*docs, doc)
		return s.generation != taskset.G1802, nil
	}
	return false, nil
}

// Reboot implements session.Inspector. It waits until the connection ends or nothing more comes: closing it
// with something unread would reset it, and the target might never read the word.
func (s *link) Reboot(ctx context.Context) error {
	if err := s.usable(); err != nil {
		return err
	}
	if s.generation == taskset.G2017 {
		return fmt.Errorf("target %s: reboot: %w %s; restart it by hand, or use 1608a or newer", s.target.Name, session.ErrUnsupported, s.generation)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("reboot target %s: %w", s.target.Name, err)
	}
	defer s.conn.guard(ctx)()
	if err := s.send(ctx, "reboot the target", framing.AppendWords(nil, framing.Reboot)); err != nil {
		return s.poison(err)
	}
	end := real.Now().Add(s.options.IOTimeout)
	for real.Now().Before(end) {
		if s.conn.fill(ctx, s.options.Quiet) != nil {
			break
		}
	}
	_ = s.poison(fmt.Errorf("%w: it was told to reboot", session.ErrReset)) // for later calls
	return nil
}
