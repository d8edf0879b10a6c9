package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a line behind a server, and another server that relays to it.
type lab struct {
	*testing.T
	line            *share.Line
	desk            *desk.Desk
	direct, relayed string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{T: t, line: share.NewLine("0", share.Options{Input: 64})}
	l.desk = desk.New(desk.Options{Lines: []*share.Line{l.line}, Policies: []desk.Policy{{Label: "ci", Access: share.Steal}}})
	l.direct = l.serve(func(ctx context.Context, w http.ResponseWriter, r *http.Request) {
		request, err := ParseQuery(r)
		if err == nil {
			request.Label, request.Peer = r.URL.Query().Get("label"), r.RemoteAddr
			err = Serve(ctx, w, r, l.desk, request)
		}
		l.refuse(w, err)
	})
	l.relayed = l.serve(func(ctx context.Context, w http.ResponseWriter, r *http.Request) {
		if err := Check(r); err != nil {
			l.refuse(w, err)
			return
		}
		to, err := Dial(ctx, l.client(), l.direct+"?"+r.URL.RawQuery, nil)
		if err == nil {
			Relay(ctx, w, r, to)
		}
		l.refuse(w, err)
	})
	return l
}

func (l *lab) serve(h func(context.Context, http.ResponseWriter, *http.Request)) string {
	ctx, cancel := context.WithCancel(context.WithoutCancel(l.Context()))
	var handlers sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers.Add(1)
		defer handlers.Done()
		h(ctx, w, r)
	}))
	l.Cleanup(func() {
		cancel()
		handlers.Wait()
		server.Close()
	})
	return server.URL
}

func (l *lab) refuse(w http.ResponseWriter, err error) {
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		w.WriteHeader(refused.Status)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": refused.Message})
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": err.Error()})
	}
}

func (l *lab) client() *http.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	l.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (l *lab) patience() context.Context {
	ctx, cancel := context.WithTimeout(l.Context(), 30*time.Second)
	l.Cleanup(cancel)
	return ctx
}

func (l *lab) dial(base, query string) *Conn {
	l.Helper()
	c, err := Dial(l.patience(), l.client(), base+"?label=ci&"+query, nil)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(c.drop)
	return c
}

// next waits for the notice, and returns the bytes before it.
func (l *lab) next(c *Conn, event string) (text []byte, n share.Notice) {
	l.Helper()
	for ctx := l.patience(); ; {
		data, notice, err := c.Read(ctx)
		if err != nil {
			l.Fatalf("no %s after %.100q: %v", event, text, err)
		}
		text = append(text, data...)
		if notice.Event == event {
			return text, notice
		}
	}
}

func (l *lab) echo() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(l.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for p := make([]byte, 100); ; {
			n, err := l.line.Take(ctx, p)
			if err != nil {
				return
			}
			_, _ = l.line.Write(p[:n])
		}
	}()
	l.Cleanup(func() { cancel(); <-ended })
}

// each runs a test against the server itself and through the relay.
func each(t *testing.T, test func(l *lab, base string)) {
	t.Run("direct", func(t *testing.T) { l := newLab(t); test(l, l.direct) })
	t.Run("relayed", func(t *testing.T) { l := newLab(t); test(l, l.relayed) })
}

func TestAPasteComesBackWhole(t *testing.T) {
	each(t, func(l *lab, base string) {
		l.echo()
		_, _ = l.line.Write([]byte("booted\n"))
		c := l.dial(base, "access=write")
		if _, n := l.next(c, share.NoticeConnected); n.Replayed != 7 || n.Access != share.Write || n.Line != "0" {
			t.Errorf("connected: %+v", n)
		}
		paste := bytes.Repeat([]byte("0123456789abcdef"), 8<<10) // 128 KiB
		go func() { _ = c.Write(l.patience(), paste) }()
		got := []byte{}
		for len(got) < 7+len(paste) {
			data, _, err := c.Read(l.patience())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, data...)
		}
		if !bytes.Equal(got, append([]byte("booted\n"), paste...)) {
			t.Errorf("%d bytes came back changed", len(got))
		}
	})
}

func TestNoticesComeThrough(t *testing.T) {
	each(t, func(l *lab, base string) {
		first := l.dial(base, "access=write")
		l.next(first, share.NoticeConnected)
		if err := first.Resize(l.patience(), 132, 43); err != nil {
			t.Fatal(err)
		}
		if _, n := l.next(first, share.NoticeSize); n.Columns != 132 || n.Rows != 43 {
			t.Errorf("size: %+v", n)
		}
		waiting := l.dial(base, "access=write")
		l.next(waiting, share.NoticeWaiting)
		thief := l.dial(base, "access=steal")
		if _, n := l.next(thief, share.NoticeConnected); n.Rows != 43 {
			t.Errorf("the thief: %+v", n)
		}
		if _, n := l.next(first, share.NoticeWriterLost); n.By == "" {
			t.Errorf("lost: %+v", n)
		}
		if err := thief.Close(); err != nil {
			t.Error(err)
		}
		l.next(waiting, share.NoticeConnected)
		_, _ = l.line.Write([]byte("good bye"))
		l.line.Close("the agent ends")
		if text, n := l.next(first, share.NoticeClosed); string(text) != "good bye" || n.Reason != "the agent ends" {
			t.Errorf("closed: %q, %+v", text, n)
		}
		if _, _, err := first.Read(l.patience()); !errors.Is(err, io.EOF) {
			t.Errorf("after the last notice: %v", err)
		}
	})
}

func TestWhoIsDeniedGetsAStatus(t *testing.T) {
	each(t, func(l *lab, base string) {
		for query, want := range map[string]int{
			"label=me": 403, "label=ci&line=7": 404, "label=ci&access=root": 400, "label=ci&backlog=x": 400,
		} {
			_, err := Dial(l.patience(), l.client(), base+"?"+query, nil)
			var refused *Refused
			if !errors.As(err, &refused) || refused.Status != want && base == l.direct || refused.Message == "" {
				t.Errorf("%s: %v, want %d and a message", query, err, want)
			}
		}
		owner := l.dial(base, "access=write")
		l.next(owner, share.NoticeConnected)
		foreign := http.Header{"Origin": {"https://evil.example"}}
		if _, err := Dial(l.patience(), l.client(), base+"?label=ci&access=steal", foreign); err == nil {
			t.Error("a foreign web page got a console")
		}
		response, err := l.client().Get(base + "?label=ci&access=steal")
		if err != nil || response.StatusCode != http.StatusUpgradeRequired {
			t.Errorf("no WebSocket: %v, %v", response, err)
		} else {
			response.Body.Close()
		}
		_, _ = l.line.Write([]byte("still yours"))
		if data, n, err := owner.Read(l.patience()); string(data) != "still yours" {
			t.Errorf("the owner reads %q, %+v, %v", data, n, err)
		}
	})
}

func TestSeatsAreLeft(t *testing.T) {
	each(t, func(l *lab, base string) {
		for _, leave := range []func(*Conn){func(c *Conn) { _ = c.Close() }, (*Conn).drop} {
			c := l.dial(base, "access=write")
			l.next(c, share.NoticeConnected)
			leave(c)
			for deadline := time.Now().Add(30 * time.Second); len(l.desk.Attached()) > 0; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("a client that is gone is still attached")
				}
			}
		}
	})
}
