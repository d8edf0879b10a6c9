// Package ping is the session class for targets that are pinged before they are used. It looks at whether
// they are there by ICMP, which costs a taskloader nothing, and leaves sessions to another class.
package ping

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
)

// limit is how long a target may take to answer when the caller has set no limit.
const limit = 2 * time.Second

// Pinger sends echo requests until the host answers (nil) or ctx ends; echo.Pinger is one.
type Pinger interface {
	Ping(ctx context.Context, addr netip.Addr) error
}

// class is session.Class with another Available.
type class struct {
	session.Class
	pinger Pinger
}

// New makes a class that connects as inner does and pings with pinger.
func New(inner session.Class, pinger Pinger) session.Class {
	return class{Class: inner, pinger: pinger}
}

// Available reports whether the target's host answers an echo request before ctx ends, or within 2 s if ctx
// has no end. That says nothing about its taskloader. Errors: ErrTimeout, ErrUnavailable, ctx's error when it
// was cancelled.
func (c class) Available(ctx context.Context, t session.Target) error {
	peer, err := netip.ParseAddrPort(t.Address)
	if err != nil {
		return fmt.Errorf("ping %s: %w: its address is %q, but ADDRESS:PORT is needed", t.Name, session.ErrUnavailable, t.Address)
	}
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	err = c.pinger.Ping(ctx, peer.Addr())
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("ping %s: %w: no reply from %s", t.Name, session.ErrTimeout, peer.Addr())
	}
	return fmt.Errorf("ping %s: %w: %w", t.Name, session.ErrUnavailable, err)
}
