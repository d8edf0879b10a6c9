package vnet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

var (
	someMAC    = net.HardwareAddr{0x52, 0x54, 0, 0x12, 0x34, 0x56}
	anotherMAC = net.HardwareAddr{0x52, 0x54, 0, 0x65, 0x43, 0x21}
)

// served is a network that is served on a unix socket until the test ends.
type served struct {
	*Network
	path string
	stop func() error // ends Serve and returns its error
}

func serve(t testing.TB, cfg Config) *served {
	t.Helper()
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Serve(ctx, l) }()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			return errors.New("Serve did not return")
		}
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	return &served{Network: n, path: path, stop: stop}
}

// testGuest is a guest behind QEMU's framing, with a TCP/IP stack of its own.
type testGuest struct {
	t      testing.TB
	conn   net.Conn
	mac    net.HardwareAddr
	stack  *stack.Stack
	frames chan []byte // what arrived; the newest are lost when nobody takes them

	mu   sync.Mutex // serializes writes
	mute bool       // takes frames and answers none
	end  func()
}

// join connects a guest with an address of its own, or with none (the zero Addr).
func join(t testing.TB, s *served, mac net.HardwareAddr, addr netip.Addr) *testGuest {
	t.Helper()
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	g := &testGuest{t: t, conn: conn, mac: mac, frames: make(chan []byte, 256)}
	g.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	queue := channel.New(4096, 1500+ethSize, tcpip.LinkAddress(mac))
	if err := g.stack.CreateNIC(1, ethernet.New(queue)); err != nil {
		t.Fatal(err)
	}
	if addr.IsValid() {
		g.setAddr(addr)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { g.transmit(ctx, queue) })
	loops.Go(func() { g.receive(queue) })
	g.end = sync.OnceFunc(func() {
		cancel()
		_ = conn.Close()
		loops.Wait()
		queue.Close()
		g.stack.Destroy()
	})
	t.Cleanup(g.end)
	return g
}

func (g *testGuest) setAddr(addr netip.Addr) {
	g.t.Helper()
	a := tcpip.AddrFrom4(addr.As4())
	if err := g.stack.AddProtocolAddress(1, tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: a, PrefixLen: 24},
	}, stack.AddressProperties{}); err != nil {
		g.t.Fatal(err)
	}
	g.stack.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
}

// transmit writes what the guest's stack sends, with a framing that is not the one under test.
func (g *testGuest) transmit(ctx context.Context, queue *channel.Endpoint) {
	for {
		pkt := queue.ReadContext(ctx)
		if pkt == nil {
			return
		}
		frame := pkt.ToView().AsSlice()
		pkt.DecRef()
		if !g.isMute() {
			g.send(frame)
		}
	}
}

func (g *testGuest) send(frame []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := make([]byte, 4, 4+len(frame))
	binary.BigEndian.PutUint32(b, uint32(len(frame)))
	_, _ = g.conn.Write(append(b, frame...)) // a connection that is over is what some tests want
}

func (g *testGuest) receive(queue *channel.Endpoint) {
	var size [4]byte
	in := bufio.NewReaderSize(g.conn, 64<<10)
	for {
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(in, frame); err != nil {
			return
		}
		select {
		case g.frames <- frame:
		default:
		}
		dst := frame[:6]
		if !bytes.Equal(dst, g.mac) && !bytes.Equal(dst, []byte("\xff\xff\xff\xff\xff\xff")) {
			continue // as the filter of a network card
		}
		pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(frame)})
		queue.InjectInbound(0, pkt)
		pkt.DecRef()
	}
}

func (g *testGuest) setMute(mute bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mute = mute
}

func (g *testGuest) isMute() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mute
}

// await is the first frame, of those not taken yet, that fits.
func (g *testGuest) await(fits func(frame []byte) bool) []byte {
	g.t.Helper()
	late := time.After(patience)
	for {
		select {
		case f := <-g.frames:
			if fits(f) {
				return f
			}
		case <-late:
			g.t.Fatal("the frame did not come")
		}
	}
}

// listen serves a port of the guest until the test ends.
func (g *testGuest) listen(port uint16, handle func(net.Conn)) {
	g.t.Helper()
	l, err := gonet.ListenTCP(g.stack, tcpip.FullAddress{NIC: 1, Port: port}, ipv4.ProtocolNumber)
	if err != nil {
		g.t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer func() { _ = c.Close() }()
				handle(c)
			})
		}
	})
	g.t.Cleanup(func() {
		l.Shutdown()
		_ = l.Close()
		g.end()
		conns.Wait()
	})
}

// within fails the test unless the condition comes true.
func within(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: still not after %s", what, patience)
		}
		time.Sleep(time.Millisecond)
	}
}
