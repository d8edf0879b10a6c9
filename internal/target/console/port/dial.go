package port

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/genode-operator/genode-operator/internal/session/peer"
)

// Pauses of a port that dials out: they double from one attempt to the next, and begin anew after a
// connection that lasted.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
	lasting      = 10 * time.Second
	dialTimeout  = 5 * time.Second
)

// Dial keeps a connection to the address until ctx ends, and returns nil then: it dials again after a loss.
// With TLS, the port's configuration says who may answer; without, only loopback addresses are dialled.
func (p *Port) Dial(ctx context.Context, address string) error {
	if ip := net.ParseIP(hostOf(address)); p.tls == nil && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("console at %s: without TLS a serial line is offered to loopback addresses only", address)
	}
	pause := p.firstPause
	for {
		began := time.Now()
		err := p.dialOnce(ctx, address)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) >= lasting {
			pause = p.firstPause
		}
		p.log.V(2).Info("Console connection ended", "line", p.line, "address", address, "reason", err.Error(), "again", pause.String())
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		pause = min(2*pause, longestPause)
	}
}

// dialOnce is one connection from its beginning to its end; its error is never nil.
func (p *Port) dialOnce(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{Timeout: dialTimeout, KeepAliveConfig: peer.KeepAlive}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if p.tls != nil {
		config := p.tls.Clone()
		if config.ServerName == "" {
			config.ServerName = hostOf(address)
		}
		secured := tls.Client(conn, config)
		shaking, cancel := context.WithTimeout(ctx, dialTimeout)
		err := secured.HandshakeContext(shaking)
		cancel()
		if err != nil {
			return err
		}
		conn = secured
	}
	return p.plain(ctx, conn, LabelDial)
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
