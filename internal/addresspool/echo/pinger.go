package echo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// ErrNotPermitted: this process may not send ICMP. The error says how to allow it.
var ErrNotPermitted = errors.New("ICMP is not permitted")

// Options of a Pinger. The zero value of each field means its default.
type Options struct {
	// Resend is the time after which a request that was not answered is sent again. Default: 500 ms.
	Resend time.Duration
}

// Pinger sends echo requests and hears the replies. It may be used from any number of goroutines. Sockets
// are opened when they are needed; Close closes them.
type Pinger struct {
	resend time.Duration
	open   func(family) (packets, error)
	cookie uint64 // tells replies to this Pinger from others
	id     uint16 // of requests; the system replaces it in unprivileged ones

	mu      sync.Mutex
	closed  bool
	sockets map[family]packets
	readers sync.WaitGroup
	last    uint64
	waiting map[uint64]*request
}

// request is one Ping that waits.
type request struct {
	addr    netip.Addr
	replied chan struct{}
}

// real is the clock.
var real = clock.RealClock{}

// New makes a Pinger.
func New(o Options) *Pinger {
	if o.Resend == 0 {
		o.Resend = 500 * time.Millisecond
	}
	return &Pinger{
		resend: o.Resend, open: open, cookie: rand.Uint64(), id: uint16(rand.Uint32()),
		sockets: map[family]packets{}, waiting: map[uint64]*request{},
	}
}

// Ping returns nil as soon as the host has answered. It goes on asking until ctx ends, whose error it then
// returns. Other errors: ErrNotPermitted, net.ErrClosed after Close, and what the system says when there is
// no way to the host.
func (p *Pinger) Ping(ctx context.Context, addr netip.Addr) error {
	addr = addr.Unmap()
	number, r := p.register(addr)
	defer p.forget(number)
	again := real.NewTimer(p.resend)
	defer again.Stop()
	for {
		if err := p.send(addr, number); err != nil {
			return fmt.Errorf("ping %s: %w", addr, err)
		}
		select {
		case <-r.replied:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("ping %s: no reply: %w", addr, ctx.Err())
		case <-again.C():
			again.Reset(p.resend)
		}
	}
}

// Close closes the sockets; a second call does nothing. Pings under way fail when they send again.
func (p *Pinger) Close() error {
	p.mu.Lock()
	p.closed = true
	var errs []error
	for f, socket := range p.sockets {
		errs = append(errs, socket.Close())
		delete(p.sockets, f)
	}
	p.mu.Unlock()
	p.readers.Wait()
	return errors.Join(errs...)
}

func (p *Pinger) register(addr netip.Addr) (uint64, *request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	r := &request{addr: addr, replied: make(chan struct{})}
	p.waiting[p.last] = r
	return p.last, r
}

func (p *Pinger) forget(number uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, number)
}

func (p *Pinger) send(addr netip.Addr, number uint64) error {
	f := familyOf(addr)
	socket, err := p.socket(f)
	if err != nil {
		return err
	}
	message, err := f.request(p.id, p.token(number))
	if err != nil {
		return err
	}
	return socket.WriteTo(message, addr)
}

// token is what a request carries, and its reply gives back.
func (p *Pinger) token(number uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.cookie), number)
}

// socket returns the family's socket, and opens it if there is none.
func (p *Pinger) socket(f family) (packets, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, net.ErrClosed
	}
	if socket := p.sockets[f]; socket != nil {
		return socket, nil
	}
	socket, err := p.open(f)
	if err != nil {
		return nil, err
	}
	p.sockets[f] = socket
	p.readers.Go(func() { p.read(f, socket) })
	return socket, nil
}

// read hands replies to those who wait for them, until the socket fails or is closed. The next request
// opens another one.
func (p *Pinger) read(f family, socket packets) {
	buffer := make([]byte, 2048)
	for {
		n, from, err := socket.ReadFrom(buffer)
		if err != nil {
			p.giveUp(f, socket)
			return
		}
		if token, ok := f.reply(buffer[:n]); ok {
			p.reply(from, token)
		}
	}
}

func (p *Pinger) giveUp(f family, socket packets) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sockets[f] == socket {
		delete(p.sockets, f)
		_ = socket.Close() // it has failed already
	}
}

// reply wakes the Ping that a reply belongs to. Replies of others, from elsewhere or that come twice wake
// nobody.
func (p *Pinger) reply(from netip.Addr, token []byte) {
	if len(token) != 16 || binary.BigEndian.Uint64(token) != p.cookie {
		return
	}
	number := binary.BigEndian.Uint64(token[8:])
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.waiting[number]
	if r == nil || r.addr.WithZone("") != from.Unmap().WithZone("") {
		return
	}
	delete(p.waiting, number)
	close(r.replied)
}
