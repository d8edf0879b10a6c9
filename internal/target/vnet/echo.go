package vnet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

const (
	echoPayload = 24 // bytes; makes the frame longer than the shortest that Ethernet knows
	// remembered is the number of requests for which a late reply is still matched: 40 s of 20 ms each.
	remembered = 2048
	// repliesWaiting bounds the replies that wait for a slow sink.
	repliesWaiting = 64
	// askAgain is how often a guest that was heard once and is silent now is asked for its MAC.
	askAgain = time.Second
)

// Echo is an ICMP echo request, or the reply to one.
type Echo struct {
	// Seq counts requests, and wraps.
	Seq uint16
	// Sent is right before the request was written to QEMU's socket.
	Sent time.Time
	// Received is when the reply was read; zero: this Echo tells of the request only.
	Received time.Time
	// RoundTrip is Received minus Sent.
	RoundTrip time.Duration
}

// Echoes sends an ICMP echo request into the guest now and in each interval, and calls sink for each request
// sent and for each first reply to one, however late. Calls of sink do not overlap; a sink that is slower than
// the replies loses some. A guest that is away, has not booted or does not answer is silence, not an error: its
// requests are reported like all others. Once a guest shows itself on a new connection it is sent a request at
// once. Echoes returns nil when ctx ends, net.ErrClosed (wrapped) when the network is closed, and an error for an
// interval that is not positive.
func (n *Network) Echoes(ctx context.Context, interval time.Duration, sink func(Echo)) error {
	if interval <= 0 {
		return fmt.Errorf("echo interval %s: give a positive one", interval)
	}
	e, err := n.newEchoer()
	if err != nil {
		return err
	}
	defer n.echoes.remove(e.ident)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		sink(e.request(n))
		for again := false; !again; {
			select {
			case <-ctx.Done():
				return nil
			case <-n.closed:
				return n.ended(ctx)
			case <-ticker.C:
				again = true
			case <-e.appears:
				ticker.Reset(interval)
				again = true
			case r := <-e.replies:
				if echo, ok := e.match(r); ok {
					sink(echo)
				}
			}
		}
	}
}

// echoReply is a reply as the reader saw it.
type echoReply struct {
	seq uint16
	at  time.Time
}

// echoer is one run of Echoes. Only its replies are shared with the reader.
type echoer struct {
	ident   uint16
	seq     uint16
	frame   []byte // the request, made once and changed in place
	sent    [remembered]outstanding
	replies chan echoReply
	appears <-chan struct{} // closed when a guest appears on a new connection
	heardAt time.Time       // of the newest reply
	askedAt time.Time       // of the newest ARP request
}

// outstanding is a request that has not been answered; a zero time: none.
type outstanding struct {
	seq uint16
	at  time.Time
}

func (n *Network) newEchoer() (*echoer, error) {
	e := &echoer{replies: make(chan echoReply, repliesWaiting)}
	if !n.echoes.add(e) {
		return nil, errors.New("too many echoes are running: end one first")
	}
	e.frame = newPacket(header.EthernetBroadcastAddress, n.cfg.Gateway, n.cfg.Guest,
		header.ICMPv4ProtocolNumber, icmpEchoSize+echoPayload)
	m := header.ICMPv4(header.IPv4(e.frame[ethSize:]).Payload())
	m.SetType(header.ICMPv4Echo)
	m.SetIdent(e.ident)
	return e, nil
}

// request sends the next request, and asks for the guest's MAC when that is in doubt.
func (e *echoer) request(n *Network) Echo {
	e.seq++
	s := n.guest.now()
	e.appears = s.next
	at := time.Now()
	if w := n.link.wire.Load(); w != nil {
		if s.known {
			at = w.sendUrgent(e.build(s.place)) // what is dropped is silence
		}
		if e.shouldAsk(s, at) {
			e.askedAt = at
			w.sendUrgent(arpRequest(n.cfg.Gateway, s.addr))
		}
	}
	e.sent[e.seq%remembered] = outstanding{seq: e.seq, at: at}
	return Echo{Seq: e.seq, Sent: at}
}

// shouldAsk is true while the guest has not been heard, and from time to time while it is silent.
func (e *echoer) shouldAsk(s sighting, now time.Time) bool {
	if !s.heard {
		return true
	}
	return now.Sub(e.heardAt) >= askAgain && now.Sub(e.askedAt) >= askAgain
}

// build is the request's frame; it is valid until the next one.
func (e *echoer) build(to place) []byte {
	copy(e.frame[:6], to.mac[:])
	ip := header.IPv4(e.frame[ethSize:])
	setDestination(ip, to.addr)
	m := header.ICMPv4(ip.Payload())
	m.SetSequence(e.seq)
	m.SetChecksum(0)
	m.SetChecksum(^checksum.Checksum(m, 0))
	return e.frame
}

func setDestination(ip header.IPv4, to netip.Addr) {
	a := to.As4()
	copy(ip.DestinationAddressSlice(), a[:])
	ip.SetChecksum(0)
	ip.SetChecksum(^ip.CalculateChecksum())
}

// match finds the request to a reply. A second reply to the same request is none.
func (e *echoer) match(r echoReply) (Echo, bool) {
	o := &e.sent[r.seq%remembered]
	if o.seq != r.seq || o.at.IsZero() {
		return Echo{}, false
	}
	echo := Echo{Seq: r.seq, Sent: o.at, Received: r.at, RoundTrip: r.at.Sub(o.at)}
	o.at = time.Time{}
	e.heardAt = r.at
	return echo, true
}

// maxEchoers bounds the runs of Echoes at the same time.
const maxEchoers = 64

// echoRegistry finds the run of Echoes that a reply belongs to.
type echoRegistry struct {
	mu      sync.Mutex
	running map[uint16]*echoer
}

// add gives e an identifier that no other run has, and that those of an earlier process hardly had.
func (g *echoRegistry) add(e *echoer) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running == nil {
		g.running = map[uint16]*echoer{}
	}
	if len(g.running) >= maxEchoers {
		return false
	}
	for {
		e.ident = uint16(rand.Uint32()) // any 16 bits
		if _, taken := g.running[e.ident]; !taken {
			g.running[e.ident] = e
			return true
		}
	}
}

func (g *echoRegistry) remove(ident uint16) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.running, ident)
}

// reply hands an echo reply to the run that it belongs to. It never waits.
func (g *echoRegistry) reply(m header.ICMPv4, at time.Time) {
	g.mu.Lock()
	e := g.running[m.Ident()]
	g.mu.Unlock()
	if e == nil {
		return
	}
	select {
	case e.replies <- echoReply{seq: m.Sequence(), at: at}:
	default: // the sink is too slow
	}
}
