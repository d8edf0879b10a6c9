package vnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/genode-operator/genode-operator/internal/session/peer"
)

// Verbosity of the log.
const (
	flow   = 2 // what happened and why
	detail = 4 // how
)

// Stats counts what went over the wire since New.
type Stats struct {
	Received uint64 // frames from the guest
	Ignored  uint64 // of these: not expected from a guest, and dropped
	Panics   uint64 // of these: broke the code that handled them, and were dropped
	Dropped  uint64 // frames of ours that QEMU did not take in time, or at all
}

type counters struct{ received, ignored, panics, dropped atomic.Uint64 }

// Stats is a snapshot of the counters.
func (n *Network) Stats() Stats {
	s := Stats{
		Received: n.counts.received.Load(), Ignored: n.counts.ignored.Load(),
		Panics: n.counts.panics.Load(), Dropped: n.counts.dropped.Load(),
	}
	if w := n.link.wire.Load(); w != nil {
		s.Dropped += w.drops()
	}
	return s
}

// Serve lets QEMU connect on l. There is one guest at a time: a new connection replaces the old one. It closes
// l, and returns nil when ctx ends; the network is closed then and everything that it started has ended. An
// error means that l cannot accept any more. A network is served once.
func (n *Network) Serve(ctx context.Context, l net.Listener) error {
	if !n.serving.CompareAndSwap(false, true) {
		return errors.New("virtual network is served already: make another one with New")
	}
	defer n.Close()
	defer func() { _ = l.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var present *guestLine
	defer func() { present.end() }()
	for {
		conn, err := peer.Accept(ctx, l)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept the guest's network connection on %s: %w", l.Addr(), err)
		}
		present.end()
		present = n.connect(ctx, conn)
	}
}

// guestLine is one connection of QEMU, and its two goroutines.
type guestLine struct {
	conn   net.Conn
	cancel context.CancelFunc
	reads  chan struct{} // closed when the reader has ended
	writes chan struct{} // closed when the writer has ended
}

// connect plugs the cable in.
func (n *Network) connect(ctx context.Context, conn net.Conn) *guestLine {
	ctx, cancel := context.WithCancel(ctx)
	g := &guestLine{conn: conn, cancel: cancel, reads: make(chan struct{}), writes: make(chan struct{})}
	w := newWire(conn)
	n.guest.doubt()
	n.link.wire.Store(w)
	n.log.V(flow).Info("Connecting guest")
	go func() {
		defer close(g.writes)
		w.run(ctx)
	}()
	go func() {
		defer close(g.reads)
		defer cancel()
		err := n.read(w)
		n.link.wire.CompareAndSwap(w, nil)
		_ = conn.Close()
		n.counts.dropped.Add(w.drops())
		n.log.V(flow).Info("Disconnecting guest", "reason", reason(err))
	}()
	return g
}

// end unplugs the cable and waits until nothing of the line is left. A nil line has ended.
func (g *guestLine) end() {
	if g == nil {
		return
	}
	g.cancel()
	_ = g.conn.Close()
	<-g.reads
	<-g.writes
}

// read handles frames until the connection ends.
func (n *Network) read(w *wire) error {
	frames := newFrameReader(w.conn, n.cfg.MTU)
	defer func() { n.counts.ignored.Add(frames.skipped); n.counts.received.Add(frames.skipped) }()
	for {
		frame, err := frames.next()
		if err != nil {
			return err
		}
		n.handle(w, frame)
	}
}

// handle does what one frame asks for. A panic costs the frame, not the agent.
func (n *Network) handle(w *wire, frame []byte) {
	n.counts.received.Add(1)
	defer func() {
		if broken := recover(); broken != nil && n.counts.panics.Add(1) == 1 {
			n.log.Error(fmt.Errorf("panic: %v", broken), "Dropping a frame of the guest; further ones are only counted")
		}
	}()
	news := n.ingress.classify(frame)
	from := mac(frame[6:12])
	if news.from.IsValid() {
		n.guest.seen(from, news.from)
	}
	switch news.class {
	case classEcho:
		n.echoes.reply(news.body, time.Now())
	case classDHCP:
		n.lease(w, from, news.body)
	case classARP:
		n.link.deliver(header.ARPProtocolNumber, news.body)
	case classPackets:
		n.link.deliver(header.IPv4ProtocolNumber, news.body)
	case classNotice:
	case classDrop:
		n.counts.ignored.Add(1)
	}
}

// lease answers a DHCP request.
func (n *Network) lease(w *wire, from mac, request []byte) {
	reply, granted := n.dhcp.answer(request)
	if reply == nil {
		n.counts.ignored.Add(1)
		return
	}
	w.send(n.dhcp.frame(reply))
	n.log.V(detail).Info("Answering DHCP", "type", reply.MessageType().String(), "address", reply.YourIPAddr.String())
	if granted {
		n.guest.seen(from, n.cfg.Guest)
	}
}

// reason is why a connection ended, for the log.
func reason(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return "closed"
	}
	return err.Error()
}
