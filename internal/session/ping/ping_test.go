package ping_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/genode-operator/genode-operator/internal/addresspool/echo"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/ping"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

// pinger answers as a test wants.
type pinger func(ctx context.Context, addr netip.Addr) error

func (p pinger) Ping(ctx context.Context, addr netip.Addr) error { return p(ctx, addr) }

func TestAvailabilityIsNotConnectivity(t *testing.T) {
	target, err := faketarget.Start(faketarget.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	pinger := echo.New(echo.Options{})
	defer pinger.Close()
	c := ping.New(taskloader.New(taskloader.Options{}), pinger)
	there := session.Target{Name: "a", Address: target.Address(), Generation: target.Generation()}
	if err := c.Available(t.Context(), there); errors.Is(err, echo.ErrNotPermitted) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	if n := target.Count(faketarget.Opened); n != 0 {
		t.Errorf("%d connections were opened to see whether the host is there", n)
	}
	s, err := c.Connect(t.Context(), there)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	target.Refuse()
	if err := c.Available(t.Context(), there); err != nil {
		t.Errorf("the host is there, even though its taskloader is not: %v", err)
	}
	if _, err := c.Connect(t.Context(), there); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("connect: %v", err)
	}
}

func TestErrorsAreThoseOfSessions(t *testing.T) {
	silent := pinger(func(ctx context.Context, _ netip.Addr) error { <-ctx.Done(); return ctx.Err() })
	nowhere := pinger(func(context.Context, netip.Addr) error { return errors.New("network is unreachable") })
	for _, test := range []struct {
		name    string
		pinger  pinger
		address string
		want    error
		text    string
	}{
		{"silence", silent, "127.0.0.1:3001", session.ErrTimeout, "no reply from 127.0.0.1"},
		{"no route", nowhere, "127.0.0.1:3001", session.ErrUnavailable, "network is unreachable"},
		{"no address", nowhere, "", session.ErrUnavailable, `its address is "", but ADDRESS:PORT is needed`},
		{"a name", nowhere, "localhost:3001", session.ErrUnavailable, "ADDRESS:PORT is needed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := ping.New(nil, test.pinger).Available(t.Context(), session.Target{Name: "arm", Address: test.address})
				if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("error = %v, want %v with %q", err, test.want, test.text)
				}
				if d := time.Since(began); d > 2*time.Second {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

func TestACallCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	silent := pinger(func(ctx context.Context, _ netip.Addr) error { <-ctx.Done(); return ctx.Err() })
	if err := ping.New(nil, silent).Available(ctx, session.Target{Address: "[::1]:3001"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}
