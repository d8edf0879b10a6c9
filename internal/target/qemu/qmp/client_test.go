package qmp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDialErrors(t *testing.T) {
	tests := map[string]struct {
		script  func(*peer)
		timeout time.Duration
		want    error
		wantIn  string
	}{
		"no greeting":          {script: func(p *peer) { p.hear() }, timeout: soon, want: ErrTimeout},
		"half a greeting":      {script: func(p *peer) { p.say(greeting[:20]); p.hear() }, timeout: soon, want: ErrTimeout},
		"closed at once":       {script: func(p *peer) {}, want: io.EOF},
		"closed in the middle": {script: func(p *peer) { p.say(greeting[:20]) }, want: io.ErrUnexpectedEOF},
		"garbage":              {script: func(p *peer) { p.say("SSH-2.0-OpenSSH\r\n") }, wantIn: "not QMP"},
		"JSON but no greeting": {script: func(p *peer) { p.say("{\"return\": {}}\n") }, wantIn: "instead of a greeting"},
		"an endless line": {
			script: func(p *peer) { p.say(strings.Repeat("x", 1<<20)) }, wantIn: "more than 1000 bytes",
		},
		"capabilities never answered": {
			script: func(p *peer) { p.say(greeting); p.hear(); p.hear() }, timeout: soon, want: ErrTimeout,
		},
		"capabilities refused": {
			script: func(p *peer) {
				p.say(greeting)
				_, id, _ := p.hear()
				p.answer(id, "error", `{"class": "CommandNotFound", "desc": "no"}`)
				p.hear()
			},
			wantIn: "qmp_capabilities: no (CommandNotFound)",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			socket := serve(t, tc.script)
			c, err := Dial(context.Background(), socket, Options{DialTimeout: tc.timeout, MaxMessage: 1000})
			if err == nil {
				c.Close()
				t.Fatal("no error")
			}
			if tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.wantIn) {
				t.Errorf("error %q, want %v %q", err, tc.want, tc.wantIn)
			}
		})
	}
	t.Run("no socket", func(t *testing.T) {
		if _, err := Dial(context.Background(), t.TempDir()+"/none", Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		socket := serve(t, func(p *peer) { cancel(); p.hear() })
		if _, err := Dial(ctx, socket, Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestExecuteDecodesTheAnswer(t *testing.T) {
	c := dial(t, Options{}, func(p *peer) {
		_, id, _ := p.hear()
		p.say(`{"event": "RESET", "data": {"guest": true}, "timestamp": {"seconds": 5, "microseconds": 7}}` + "\r\n\r\n")
		p.answer(id, "return", `{"status": "paused"}`)
		_, id, _ = p.hear()
		p.answer(id, "error", `{"class": "GenericError", "desc": "no such device"}`)
		_, id, _ = p.hear()
		p.answer(id, "return", `[1]`)
		p.hear()
	})
	var status struct{ Status string }
	if err := c.Execute(context.Background(), "query-status", nil, &status); err != nil || status.Status != "paused" {
		t.Errorf("status %q, error %v", status.Status, err)
	}
	err := c.Execute(context.Background(), "eject", map[string]any{"id": "cd"}, nil)
	var refused *Error
	if !errors.As(err, &refused) || refused.Class != "GenericError" || err.Error() != "QMP eject: no such device" || !IsError(err) {
		t.Errorf("error %v", err)
	}
	if err := c.Execute(context.Background(), "query-status", nil, &status); err == nil || IsError(err) {
		t.Errorf("error %v for an answer of another type", err)
	}
	want := Event{Name: "RESET", Data: []byte(`{"guest": true}`), Time: time.Unix(5, 7000)}
	if diff := cmp.Diff(want, <-c.Events()); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestAnswersOutOfOrderFindTheirCommand(t *testing.T) {
	const commands = 20
	c := dial(t, Options{}, func(p *peer) {
		ids := map[string]uint64{}
		for range commands {
			name, id, _ := p.hear()
			ids[name] = id
		}
		for name, id := range ids { // in random order
			p.answer(id, "return", fmt.Sprintf("%q", name))
			p.answer(id, "return", `"twice"`)
		}
		p.say(`{"error": {"class": "GenericError", "desc": "JSON parse error"}}` + "\n") // without id
		p.say(`{"return": {}, "id": "somebody else's"}` + "\n")
		p.hear()
	})
	var wg sync.WaitGroup
	for i := range commands {
		wg.Go(func() {
			name := strings.Repeat("x", i+1)
			var got string
			if err := c.Execute(context.Background(), name, nil, &got); err != nil || got != name {
				t.Errorf("%s got the answer %q, %v", name, got, err)
			}
		})
	}
	wg.Wait()
}

func TestATimeoutHarmsNoOtherCommand(t *testing.T) {
	c := dial(t, Options{CommandTimeout: soon}, func(p *peer) {
		_, slow, _ := p.hear()
		_, next, _ := p.hear() // comes after the time-out
		p.answer(slow, "return", `"late"`)
		p.answer(next, "return", `"right"`)
		p.hear()
	})
	if err := c.Execute(context.Background(), "slow", nil, nil); !errors.Is(err, ErrTimeout) {
		t.Fatalf("error %v, want ErrTimeout", err)
	}
	c.opts.CommandTimeout = DefaultCommandTimeout
	var got string
	if err := c.Execute(context.Background(), "next", nil, &got); err != nil || got != "right" {
		t.Errorf("got %q, %v", got, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) != 0 {
		t.Errorf("%d commands are still remembered", len(c.pending))
	}
}

func TestExecuteEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := dial(t, Options{}, func(p *peer) { p.hear(); cancel(); p.hear() })
	for range 2 { // the second is not even sent
		if err := c.Execute(ctx, "stop", nil, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
}

func TestTheEndOfTheConnection(t *testing.T) {
	tests := map[string]struct {
		script func(*peer)
		want   error
		wantIn string
	}{
		"closed before the answer": {script: func(p *peer) { p.hear() }, want: io.EOF},
		"closed in the answer":     {script: func(p *peer) { p.hear(); p.say(`{"return": {`) }, want: io.ErrUnexpectedEOF},
		"garbage":                  {script: func(p *peer) { p.hear(); p.say("\x00\xff\n"); p.hear() }, wantIn: "not QMP"},
		"an array":                 {script: func(p *peer) { p.hear(); p.say("[]\n"); p.hear() }, wantIn: "not QMP"},
		"a line without end": {
			script: func(p *peer) { p.hear(); p.say(strings.Repeat("[", 1<<20)) }, wantIn: "more than 10000 bytes",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := dial(t, Options{MaxMessage: 10000}, tc.script)
			for range 2 {
				err := c.Execute(context.Background(), "stop", nil, nil)
				if !errors.Is(err, ErrDisconnected) || tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.wantIn) {
					t.Errorf("error %v, want %v %q", err, tc.want, tc.wantIn)
				}
			}
			if _, open := <-c.Events(); open {
				t.Error("an event after the end")
			}
		})
	}
	t.Run("an answer right before the end counts", func(t *testing.T) {
		c := dial(t, Options{}, func(p *peer) {
			_, id, _ := p.hear()
			p.answer(id, "return", `{}`)
		})
		if err := c.Execute(context.Background(), "quit", nil, nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("closed by us", func(t *testing.T) {
		c := dial(t, Options{}, func(p *peer) { p.hear(); p.hear() })
		waiting := make(chan error)
		go func() { waiting <- c.Execute(context.Background(), "stop", nil, nil) }()
		for registered := 0; registered == 0; {
			c.mu.Lock()
			registered = len(c.pending)
			c.mu.Unlock()
		}
		c.Close()
		c.Close()
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("error %v of the waiting command", err)
		}
		if err := c.Execute(context.Background(), "stop", nil, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("error %v of a later command", err)
		}
	})
}

func TestSlowReadersLoseTheOldestEvents(t *testing.T) {
	c := dial(t, Options{EventBuffer: 2, IgnoreEvents: []string{"RTC_CHANGE"}}, func(p *peer) {
		for _, name := range []string{"A", "RTC_CHANGE", "B", "C", "D"} {
			p.say(`{"event": "` + name + `", "timestamp": {"seconds": -1, "microseconds": -1}}` + "\n")
		}
		_, id, _ := p.hear()
		p.answer(id, "return", `{}`)
		p.hear()
	})
	if err := c.Execute(context.Background(), "sync", nil, nil); err != nil {
		t.Fatal(err)
	}
	got := []Event{<-c.Events(), <-c.Events()}
	if diff := cmp.Diff([]Event{{Name: "C"}, {Name: "D"}}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if c.Dropped() != 2 {
		t.Errorf("Dropped = %d, want 2", c.Dropped())
	}
}

func TestArgumentsThatAreNoJSONAreAnError(t *testing.T) {
	c := dial(t, Options{}, func(p *peer) { p.hear() })
	if err := c.Execute(context.Background(), "x", func() {}, nil); err == nil {
		t.Error("no error")
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte(greeting))
	f.Add([]byte("\r\n\n" + `{"return": {}, "id": 1}` + "\n" + `{"event": "STOP", "timestamp": {"seconds": 1e9}}` + "\n"))
	f.Add([]byte(`{"error": null, "id": -1}` + "\n" + `{"return"`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bufio.NewReaderSize(strings.NewReader(string(in)), 16)
		for range len(in) + 1 {
			m, err := readMessage(r, 64)
			if err != nil {
				return
			}
			m.id()
			m.event()
			if _, err := m.result(); err != nil && err.Error() == "" && m.Error.Desc != "" {
				t.Fatal("an error without its text")
			}
		}
		t.Fatal("more messages than bytes")
	})
}
