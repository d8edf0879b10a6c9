package faketarget

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/genode-operator/genode-operator/internal/session/framing"
)

var names = map[framing.Word]string{
	framing.Clear: "CLEAR", framing.SendDescs: "SEND_DESCS", framing.SendBinaries: "SEND_BINARIES",
	framing.Start: "START", framing.Stop: "STOP", framing.GetProfile: "GET_PROFILE",
	framing.GetLive: "GET_LIVE", framing.Available: "AVAILABLE", framing.Optimize: "OPTIMIZE", framing.Reboot: "REBOOT",
}

// errDead ends a reader whose target has crashed; its connection stays open.
var errDead = errors.New("the target is dead")

// reader handles the messages of one connection, each to its end before the next.
type reader struct {
	t  *Target
	in *bufio.Reader
}

// tap keeps a copy of what comes in.
type tap struct {
	t    *Target
	from io.Reader
}

func (r tap) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if r.t.opts.Quiet {
		return n, err
	}
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.t.received = append(r.t.received, p[:n]...)
	return n, err
}

// serve serves one connection to its end.
func (t *Target) serve(ctx context.Context, conn connection) {
	ctx, cancel := context.WithCancel(ctx)
	out := newOutbox(t.opts.Burst)
	t.mu.Lock()
	t.connections++
	t.conn, t.mute, t.out = conn, false, out
	t.note(Record{What: Opened})
	t.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { conn.Close() })

	var writer sync.WaitGroup
	writer.Go(func() {
		out.write(ctx, conn, &t.gate, pieces{size: t.opts.Piece, pause: t.opts.PiecePause, clock: t.opts.Clock})
	})
	r := &reader{t: t, in: bufio.NewReader(tap{t: t, from: conn})}
	err := r.run(ctx)
	if errors.Is(err, errDead) {
		_ = t.gate.Pass(ctx) // until the reboot
	}
	cancel()
	stop()
	conn.Close()
	writer.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn, t.out = nil, nil
	if errors.Is(err, io.ErrUnexpectedEOF) {
		t.note(Record{What: Truncate})
	}
	t.note(Record{What: Ended})
}

func (r *reader) run(ctx context.Context) error {
	for {
		word, err := r.word()
		if err != nil {
			return err
		}
		if err := r.message(ctx, framing.Word(word)); err != nil {
			return err
		}
	}
}

// message handles one word.
func (r *reader) message(ctx context.Context, word framing.Word) error {
	if err := r.step(ctx, AtMessage); err != nil {
		return err
	}
	name, known := names[word]
	if !known || !r.t.knows(word) {
		r.note(Record{What: Unknown, Word: uint32(word)})
		return nil
	}
	at := Step(name)
	switch word {
	case framing.GetLive, framing.GetProfile, framing.Available:
		at = AtQuery
	}
	if err := r.step(ctx, at); err != nil {
		return err
	}
	switch word {
	case framing.SendDescs, framing.Optimize:
		return r.document(word, name)
	case framing.SendBinaries:
		return r.binaries(ctx)
	}
	return r.command(ctx, word)
}

func (t *Target) knows(word framing.Word) bool {
	switch word {
	case framing.Optimize:
		return t.rules.optimize
	case framing.Reboot:
		return t.rules.reboot
	case framing.GetProfile:
		return t.rules.getProfile
	case framing.Available:
		return t.rules.available
	}
	return true
}

// command handles a message without a body.
func (r *reader) command(ctx context.Context, word framing.Word) error {
	t := r.t
	if word == framing.Start && t.rules.startSleeps {
		t.mu.Lock()
		offsets := t.offsets()
		t.mu.Unlock()
		if !pause(ctx, t.opts.Clock, offsets) {
			return ctx.Err()
		}
	}
	t.mu.Lock()
	t.note(Record{What: names[word], Word: uint32(word)}) // seen when it is handled: the lock is held
	now := t.opts.Clock.Now()
	switch word {
	case framing.Clear:
		t.clear(now)
	case framing.Start:
		for _, frame := range t.held {
			t.out.profile(frame)
		}
		t.held = nil
		t.start(now)
	case framing.Stop:
		t.halt(now)
	case framing.Reboot:
		t.reboot()
	default:
		t.answer(word)
	}
	t.mu.Unlock()
	if word == framing.Clear && !pause(ctx, t.opts.Clock, t.opts.ClearDelay) {
		return ctx.Err()
	}
	return nil
}

// answer answers a query. The caller holds t.mu.
func (t *Target) answer(query framing.Word) {
	switch {
	case query == framing.Available:
		t.out.put(framing.AppendWords(nil, framing.Available))
	case query == framing.GetLive && (t.rules.saysEmpty || len(t.tasks) > 0):
		t.out.put(live(t.tasks))
	case query == framing.GetProfile && (t.rules.saysEmpty || len(t.events) > 0):
		t.out.put(Profile(t.events...))
		t.events = nil
	}
}

func (r *reader) document(word framing.Word, name string) error {
	text, err := r.body()
	if errors.Is(err, io.ErrUnexpectedEOF) && !r.t.rules.noticesLoss {
		return r.die("the half of a description that came before the connection was lost is not XML")
	}
	if err != nil {
		return err
	}
	if word == framing.Optimize {
		r.note(Record{What: name, Word: uint32(word), Text: string(text)})
		return nil
	}
	tasks, err := parse(string(text))
	r.note(Record{What: name, Word: uint32(word), Text: string(text), Tasks: tasks})
	if err != nil {
		return r.die(err.Error())
	}
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.t.describe(tasks)
	return nil
}

func (r *reader) binaries(ctx context.Context) error {
	count, err := r.inner()
	if err != nil {
		return err
	}
	r.note(Record{What: "SEND_BINARIES", Word: uint32(framing.SendBinaries), Count: int(count)})
	for range count {
		if err := r.binary(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) binary(ctx context.Context) error {
	t := r.t
	t.mu.Lock()
	if !t.pass(AtGoSend).lost {
		t.out.put(framing.AppendWords(nil, framing.GoSend))
	}
	t.mu.Unlock()
	if err := t.gate.Pass(ctx); err != nil {
		return err
	}
	var header [framing.MaxName + 1]byte
	if _, err := io.ReadFull(r.in, header[:]); err != nil {
		return truncated(err)
	}
	name, _, _ := bytes.Cut(header[:], []byte{0})
	size, err := r.inner()
	if err != nil {
		return err
	}
	if err := r.step(ctx, AtBinaryHeader); err != nil {
		return err
	}
	content, err := r.read(size)
	if errors.Is(err, io.ErrUnexpectedEOF) && !t.rules.noticesLoss {
		content = slices.Grow(content, int(size)-len(content))[:size] // the rest is zero
		t.mu.Lock()
		defer t.mu.Unlock()
		t.store(string(name), newCode(content))
		return err
	}
	if err != nil {
		return err
	}
	b := newCode(content)
	r.note(binaryRecord(string(name), b))
	t.mu.Lock()
	sound := t.store(string(name), b)
	t.mu.Unlock()
	if !sound {
		return r.die(fmt.Sprintf("binary %s of %d bytes overwrites the memory behind a smaller one of that name", name, size))
	}
	return r.step(ctx, AtBinary)
}

// step lets faults strike and waits while the target hangs.
func (r *reader) step(ctx context.Context, at Step) error {
	r.t.mu.Lock()
	r.t.pass(at)
	mute := r.t.mute
	r.t.mu.Unlock()
	if mute {
		_, err := io.Copy(io.Discard, r.in)
		return errors.Join(io.EOF, err)
	}
	return r.t.gate.Pass(ctx)
}

func (r *reader) note(record Record) {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.t.note(record)
}

func (r *reader) die(why string) error {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.t.die(why)
	return errDead
}

// word reads what a message begins with; io.EOF is the end between two messages.
func (r *reader) word() (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(r.in, b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

// inner reads a word inside a message.
func (r *reader) inner() (uint32, error) {
	word, err := r.word()
	return word, truncated(err)
}

func (r *reader) body() ([]byte, error) {
	size, err := r.inner()
	if err != nil {
		return nil, err
	}
	return r.read(size)
}

// read reads so many bytes, or with io.ErrUnexpectedEOF as many as came. A size that is negative for the original crashes it.
func (r *reader) read(size uint32) ([]byte, error) {
	const largest = 64 << 20
	if size > largest {
		return nil, r.die(fmt.Sprintf("a body of %d bytes does not fit into memory", size))
	}
	var body bytes.Buffer
	n, err := io.CopyN(&body, r.in, int64(size))
	if n < int64(size) {
		return slices.Clip(body.Bytes()), truncated(err)
	}
	return slices.Clip(body.Bytes()), nil
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
