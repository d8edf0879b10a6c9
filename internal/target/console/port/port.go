package port

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/internal/session/peer"
	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// Labels of clients that do not say who they are.
const (
	LabelLocal = "local" // of a port without TLS
	LabelDial  = "dial"  // of a port that dials out
)

// Bounds of a Port.
const (
	greetingTime = 10 * time.Second // for TLS and the greeting
	stallTime    = time.Minute      // without a byte taken by a client that there is output for
	// maxConnections is how many connections are open at a time, those included that have not greeted yet.
	maxConnections = 128
)

// Options of a Port.
type Options struct {
	Desk *desk.Desk
	Line string // name of the serial line
	// TLS and Token of a port that others than this pod reach. nil: plain, for loopback.
	TLS   *tls.Config
	Token string
	Log   logr.Logger
}

// Port is one serial line as a TCP port.
type Port struct {
	desk            *desk.Desk
	line, token     string
	tls             *tls.Config
	log             logr.Logger
	greeting, stall time.Duration
	firstPause      time.Duration // of a port that dials out
}

// New makes a Port.
func New(o Options) *Port {
	return &Port{desk: o.Desk, line: o.Line, token: o.Token, tls: o.TLS, log: o.Log, greeting: greetingTime, stall: stallTime, firstPause: firstPause}
}

// Serve answers on l until ctx ends, and closes l. It returns nil then. A port without TLS refuses to serve
// other addresses than loopback.
func (p *Port) Serve(ctx context.Context, l net.Listener) error {
	if a, ok := l.Addr().(*net.TCPAddr); p.tls == nil && (!ok || !a.IP.IsLoopback()) {
		_ = l.Close()
		return fmt.Errorf("console port %s: without TLS a serial line is served on loopback only, or everybody may type", l.Addr())
	}
	return peer.Serve(ctx, l, maxConnections, p.handle)
}

// handle serves one connection.
func (p *Port) handle(ctx context.Context, conn net.Conn) {
	var err error
	if p.tls != nil {
		err = p.secure(ctx, conn)
	} else {
		err = p.plain(ctx, conn, LabelLocal)
	}
	p.log.V(2).Info("Console client ended", "line", p.line, "peer", conn.RemoteAddr().String(), "reason", fmt.Sprint(err))
}

// plain attaches a connection that is the line from its first byte on. It writes, if its policy allows that.
func (p *Port) plain(ctx context.Context, conn net.Conn, label string) error {
	request := desk.Request{Label: label, Peer: conn.RemoteAddr().String(), Line: p.line, Access: share.Write, Backlog: -1}
	seat, err := p.desk.Attach(request)
	if n, known := denial(err); known && n.Reason == desk.Forbidden {
		request.Access = share.Read
		seat, err = p.desk.Attach(request)
	}
	if n, known := denial(err); known {
		_ = conn.SetWriteDeadline(time.Now().Add(p.greeting))
		_, _ = fmt.Fprintf(conn, "denied: %s: %s\r\n", n.Reason, n.Message) // for a person with a terminal
	}
	if err != nil {
		return err
	}
	defer seat.Detach()
	return p.carry(ctx, conn, conn, seat, false)
}

// secure attaches a connection after TLS and the greeting.
func (p *Port) secure(ctx context.Context, below net.Conn) error {
	conn := tls.Server(below, p.tls)
	if err := conn.SetDeadline(time.Now().Add(p.greeting)); err != nil {
		return err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, maxHello)
	seat, err := p.enter(conn, in)
	if n, known := denial(err); known {
		_ = tell(conn, n) // fails only when the client is gone
		_ = conn.Close()
	}
	if err != nil {
		return err
	}
	defer seat.Detach()
	return p.carry(ctx, conn, in, seat, true)
}

func (p *Port) enter(conn net.Conn, in *bufio.Reader) (*desk.Seat, error) {
	h, err := p.greet(conn, in)
	if err != nil {
		return nil, err
	}
	backlog := -1
	if h.Backlog != nil {
		backlog = *h.Backlog
	}
	seat, err := p.desk.Attach(desk.Request{Label: h.Label, Peer: conn.RemoteAddr().String(), Line: p.line, Access: h.Access, Backlog: backlog})
	if err == nil && h.Columns > 0 && h.Rows > 0 {
		seat.Resize(h.Columns, h.Rows)
	}
	return seat, err
}

// errEnded: the client closed its side in order.
var errEnded = errors.New("the client has left")
