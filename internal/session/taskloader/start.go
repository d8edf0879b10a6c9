package taskloader

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// Start sends a variant and starts it; see session.Session. What is wrong with the run itself
// (ErrUnsupported, a missing binary) is found before anything is sent and does not poison the session;
// everything else does, the end of ctx included once something was sent, because the target is then
// in the middle of a message.
func (s *link) Start(ctx context.Context, run session.Run) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start on target %s: %w", s.target.Name, err)
	}
	if err := taskset.Check(run.Tasks, s.generation); err != nil {
		return fmt.Errorf("%w %s of target %s: %w", session.ErrUnsupported, s.generation, s.target.Name, err)
	}
	if err := run.Admission.Check(run.Tasks, s.generation); err != nil {
		return fmt.Errorf("%w %s of target %s: %w", session.ErrUnsupported, s.generation, s.target.Name, err)
	}
	var pkgs []string
	for _, t := range run.Tasks {
		pkgs = append(pkgs, t.Pkg)
	}
	names, uploads, err := planUploads(run.Binaries, pkgs, s.held, s.memory.of(s.target))
	if err != nil {
		return err
	}
	out, err := s.clear(ctx)
	if err != nil {
		return err
	}
	tasks := slices.Clone(run.Tasks)
	for i := range tasks {
		tasks[i].Pkg = names[tasks[i].Pkg]
	}
	return s.poison(s.transfer(ctx, s.describe(out, tasks, run.Admission), tasks, uploads))
}

// describe appends the description to out, and what the admission control is told, in the generation's way.
func (s *link) describe(out []byte, tasks []taskset.Task, a *taskset.Admission) []byte {
	if a != nil && s.generation == taskset.G2017 {
		out, a = framing.AppendOptimize(out, taskset.OptimizeDocument(*a)), nil
	}
	return framing.AppendDescription(out, taskset.DescriptionWithGoal(tasks, a))
}

// clear ends what runs and returns the words with which a variant begins. Where nothing is left to be heard of
// the variant before, nothing is waited for, and its STOP goes along.
func (s *link) clear(ctx context.Context) ([]byte, error) {
	if s.run != nil && !s.run.stopping && !s.run.mayRun() {
		s.run, s.live, s.kept, s.uncertain = nil, nil, nil, false
		return framing.AppendWords(nil, framing.Stop, framing.Clear), nil
	}
	_, err := s.Stop(ctx)
	return framing.AppendWords(nil, framing.Clear), err
}

// transfer sends out, which ends with the description of the tasks, and the binaries, and starts the tasks.
func (s *link) transfer(ctx context.Context, out []byte, tasks []taskset.Task, uploads []upload) error {
	defer s.conn.guard(ctx)()
	s.message.Lock()
	defer s.message.Unlock()
	if err := s.enter(); err != nil {
		return err
	}

	out = framing.AppendWords(out, framing.SendBinaries, framing.Word(len(uploads)))
	for _, u := range uploads {
		if err := s.conn.write(ctx, "send the description", out); err != nil {
			return err
		}
		var err error
		if out, err = s.offer(ctx, u); err != nil {
			return err
		}
		doing := fmt.Sprintf("send binary %s of %d bytes", u.name, len(u.content))
		if err := s.conn.write(ctx, doing, out); err != nil {
			return err
		}
		s.held[u.name] = u.sum
		out = nil
	}
	s.live = nil
	if s.generation == taskset.G2017 {
		before, err := s.threads(ctx, out)
		if err != nil {
			return err
		}
		s.live, out = newLiveView(tasks, before), nil
	}
	if err := s.conn.write(ctx, "start the tasks", framing.AppendWords(out, framing.Start)); err != nil {
		return err
	}
	s.run = newRunning(tasks, s.generation, s.uncertain)
	s.conn.entry.StartedVariant()
	return nil
}

// enter marks the session as used, unless Close came first and has said goodbye.
func (s *link) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return session.ErrClosed
	}
	s.used = true
	return nil
}

// offer waits until the target wants the next binary, and returns it with its header. Frames that come
// instead are left over from earlier variants.
func (s *link) offer(ctx context.Context, u upload) ([]byte, error) {
	doing := fmt.Sprintf("wait for GO_SEND for binary %s", u.name)
	for {
		item, err := s.conn.next(ctx, doing, framing.Expect{GoSend: true, Echo: s.echoesDue > 0}, s.options.IOTimeout)
		if errors.Is(err, errQuiet) {
			return nil, fmt.Errorf("%s: %w: nothing in %s; the target hangs or serves another client", doing, session.ErrTimeout, s.options.IOTimeout)
		}
		if err != nil {
			return nil, err
		}
		switch item.Kind {
		case framing.KindGoSend:
			s.proven() // the target has read all binaries before
			s.doubt(u)
			header, err := framing.AppendBinaryHeader(make([]byte, 0, len(u.content)+20), u.name, len(u.content))
			return append(header, u.content...), err
		case framing.KindEcho:
			s.echoed()
		case framing.KindFrame:
			doc, err := decode(doing, item)
			if err != nil {
				return nil, err
			}
			s.admit(doc.Events, true) // nothing runs: this keeps the clock and logs what is skipped
		}
	}
}

// doubt takes note that a binary is on its way. A 1802 that sees only a part of it, because the connection
// is lost, keeps that part under the name for ever; the others replace it by the next upload.
func (s *link) doubt(u upload) {
	sum := u.sum
	if s.generation == taskset.G1802 {
		sum = damaged(sum)
		s.unproven = append(s.unproven, u)
	}
	s.memory.remember(s.target, u.name, sum)
}

// proven takes note that the target has said something that it says only once it has read everything
// that was sent before START.
func (s *link) proven() {
	for _, u := range s.unproven {
		s.memory.remember(s.target, u.name, u.sum)
	}
	s.unproven = nil
}

// threads asks for the live data, after out was sent.
func (s *link) threads(ctx context.Context, out []byte) ([]framing.Thread, error) {
	if err := s.conn.write(ctx, "ask for live data", framing.AppendWords(out, framing.GetLive)); err != nil {
		return nil, err
	}
	for {
		item, err := s.conn.next(ctx, "wait for live data", framing.Expect{}, s.options.IOTimeout)
		if errors.Is(err, errQuiet) {
			return nil, fmt.Errorf("wait for live data: %w: no answer to GET_LIVE in %s", session.ErrTimeout, s.options.IOTimeout)
		}
		if err != nil {
			return nil, err
		}
		doc, err := decode("wait for live data", item)
		if err != nil {
			return nil, err
		}
		if doc.Live {
			return doc.Threads, nil
		}
	}
}
