package share

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// outputAt is the guest's output at an offset, so that every piece of it can be told from every other.
func outputAt(offset uint64) byte { return byte(offset*2654435761>>13) ^ byte(offset) }

func output(from uint64, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = outputAt(from + uint64(i))
	}
	return p
}

// person is a client, and what it has to believe after what it was told.
type person struct {
	*Client
	connected bool
	lost      bool // somebody has taken the line away
	at        uint64
}

// drain reads what there is and checks that it follows what came before.
func (p *person) drain(t *rapid.T) {
	for {
		data, n, err := p.next()
		if err != nil || data == nil && n.Event == "" {
			return
		}
		for i, b := range data {
			if want := outputAt(p.at + uint64(i)); b != want {
				t.Fatalf("byte %d of the output is %#x, want %#x", p.at+uint64(i), b, want)
			}
		}
		p.at += uint64(len(data))
		switch n.Event {
		case NoticeConnected:
			if p.connected {
				t.Fatal("connected twice")
			}
			p.connected, p.at = true, n.Skipped
		case NoticeSkipped:
			p.at += n.Skipped
		case NoticeWriterLost:
			p.lost = true
		}
		if len(data) > 0 && !p.connected {
			t.Fatal("output before the connection")
		}
	}
}

// machine drives a line at random, next to a model of it that is too simple to be wrong.
type machine struct {
	line  *Line
	all   []*person
	end   uint64 // of the output
	typed []byte // accepted and not yet read by the guest
	next  byte   // to be typed
}

func (m *machine) attach(t *rapid.T) {
	c, err := m.line.Attach(Request{
		Access:  rapid.SampledFrom([]Access{Read, Write, Write, Steal}).Draw(t, "access"),
		NoWait:  rapid.Bool().Draw(t, "noWait"),
		Backlog: rapid.IntRange(-1, 100).Draw(t, "backlog"),
	})
	switch {
	case err == nil:
		m.all = append(m.all, &person{Client: c})
	case !errors.Is(err, ErrBusy) || m.line.writer == nil:
		t.Fatalf("Attach: %v", err)
	}
}

func (m *machine) print(t *rapid.T) {
	n := rapid.IntRange(0, 200).Draw(t, "printed")
	_, _ = m.line.Write(output(m.end, n))
	m.end += uint64(n)
}

func (m *machine) write(t *rapid.T) {
	for _, p := range m.all {
		text := bytes.Repeat([]byte{m.next}, rapid.IntRange(1, 9).Draw(t, "written"))
		m.next++
		n, err := p.put(text)
		if n > 0 && m.line.writer != p.Client {
			t.Fatal("somebody typed who is not the writer")
		}
		if m.line.writer == p.Client && (err != nil || n == 0 && len(m.typed) < m.line.input) {
			t.Fatalf("the writer could not type: %d, %v with %d bytes of %d taken", n, err, len(m.typed), m.line.input)
		}
		m.typed = append(m.typed, text[:n]...)
	}
}

func (m *machine) read(t *rapid.T) {
	p := make([]byte, rapid.IntRange(1, 7).Draw(t, "read"))
	n := m.line.take(p)
	if want := m.typed[:min(len(p), len(m.typed))]; !bytes.Equal(p[:n], want) {
		t.Fatalf("the guest reads %q, want %q", p[:n], want)
	}
	m.typed = m.typed[n:]
}

func (m *machine) check(t *rapid.T) {
	writers := 0
	for _, p := range m.all {
		if p.line.writer == p.Client {
			writers++
		}
		if len(p.pending) > 8 {
			t.Fatalf("%d notices are kept for a client", len(p.pending))
		}
	}
	if writers == 0 && len(m.line.waiting) > 0 {
		t.Fatal("somebody waits although nobody writes")
	}
	if len(m.line.out.ring) > m.line.out.max || len(m.line.in) > m.line.input || len(m.typed) != len(m.line.in) {
		t.Fatalf("holds %d bytes of output and %d of input, of which the model knows %d", len(m.line.out.ring), len(m.line.in), len(m.typed))
	}
}

func TestALineForAnyNumberOfClients(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{line: NewLine("0", Options{Backlog: rapid.IntRange(1, 150).Draw(t, "kept"), Input: rapid.IntRange(1, 20).Draw(t, "input")})}
		some := func(t *rapid.T) *person {
			if len(m.all) == 0 {
				t.Skip("nobody is there")
			}
			return rapid.SampledFrom(m.all).Draw(t, "who")
		}
		t.Repeat(map[string]func(*rapid.T){
			"attach": m.attach, "print": m.print, "write": m.write, "read": m.read, "": m.check,
			"drain":   func(t *rapid.T) { some(t).drain(t) },
			"detach":  func(t *rapid.T) { some(t).Detach() },
			"resize":  func(t *rapid.T) { some(t).Resize(rapid.Uint16().Draw(t, "columns"), 24) },
			"restart": func(*rapid.T) { m.line.Restarted(); m.typed = nil },
		})
		for _, p := range m.all {
			gone := p.gone
			p.drain(t)
			if !gone && p.connected && p.at != m.end {
				t.Fatalf("a client has seen the output up to %d of %d", p.at, m.end)
			}
		}
	})
}

func FuzzOutput(f *testing.F) {
	f.Add([]byte("Genode\n"), []byte{3, 200, 1}, 5)
	f.Fuzz(func(t *testing.T, text, cuts []byte, kept int) {
		l := NewLine("0", Options{Backlog: kept%1024 + 1024})
		for _, cut := range cuts[:min(len(cuts), 64)] {
			n := min(len(text), int(cut))
			_, _ = l.Write(text[:n])
			text = append(text[n:len(text):len(text)], text[:n]...)
		}
		_, _ = l.Write(text)
		c, err := l.Attach(Request{Backlog: -1})
		if err != nil {
			t.Fatal(err)
		}
		_, n, err := c.Next(t.Context())
		if err != nil || n.Event != NoticeConnected {
			t.Fatalf("first: %+v, %v", n, err)
		}
		var got []byte
		for uint64(len(got)) < n.Replayed {
			data, _, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, data...)
		}
		if want := text[max(0, len(text)-len(got)):]; !bytes.HasSuffix(got, want) {
			t.Fatalf("replayed %q, want the end of %q", got, want)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if data, n, err := c.Next(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("more: %q, %+v, %v", data, n, err)
		}
	})
}
