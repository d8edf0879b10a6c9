package vnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// arpPeriod is how often a guest that has not been heard is asked where it is, while a dial waits.
const arpPeriod = 250 * time.Millisecond

// DialGuest connects to a TCP port of the guest. A guest that refuses is syscall.ECONNREFUSED, one that is away or
// silent ends with ctx, a closed network is net.ErrClosed; errors.Is finds each. Errors of the connection's Read
// and Write are found the same way: syscall.ECONNRESET, ECONNABORTED, ETIMEDOUT, os.ErrDeadlineExceeded. The
// connection has CloseWrite for a half-close.
func (n *Network) DialGuest(ctx context.Context, port uint16) (net.Conn, error) {
	c, err := n.dial(ctx, port)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (n *Network) dial(ctx context.Context, port uint16) (*guestConn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := n.whenClosed(func() { cancel(net.ErrClosed) })
	defer stop()
	addr, err := n.guest.await(ctx, arpPeriod, n.ask)
	if err != nil {
		return nil, fmt.Errorf("dial the guest's port %d: %w", port, err)
	}
	c, err := n.connectTCP(ctx, addr, port)
	if err != nil {
		return nil, fmt.Errorf("dial the guest at %s: %w", netip.AddrPortFrom(addr, port), err)
	}
	return c, nil
}

func (n *Network) connectTCP(ctx context.Context, addr netip.Addr, port uint16) (*guestConn, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	queue := &waiter.Queue{}
	ep, terr := n.stack.NewEndpoint(tcp.ProtocolNumber, ipv4.ProtocolNumber, queue)
	if terr != nil {
		return nil, errnoOf(terr)
	}
	ep.SocketOptions().SetDelayOption(false) // TCP_NODELAY: the frames of the protocols are small
	entry, connected := waiter.NewChannelEntry(waiter.WritableEvents)
	queue.EventRegister(&entry)
	defer queue.EventUnregister(&entry)
	c := &guestConn{TCPConn: gonet.NewTCPConn(queue, ep), ep: ep}
	terr = ep.Connect(tcpip.FullAddress{NIC: nicID, Addr: tcpip.AddrFrom4(addr.As4()), Port: port})
	if _, started := terr.(*tcpip.ErrConnectStarted); started {
		select {
		case <-ctx.Done():
			c.abort()
			return nil, context.Cause(ctx)
		case <-connected:
			terr = ep.LastError()
		}
	}
	if terr != nil {
		ep.Close()
		return nil, errnoOf(terr)
	}
	return c, nil
}

// guestConn is a connection to the guest. Its errors are those of the operating system.
type guestConn struct {
	*gonet.TCPConn
	ep tcpip.Endpoint
}

// Read implements net.Conn.
func (c *guestConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	return n, translate(err)
}

// Write implements net.Conn.
func (c *guestConn) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	return n, translate(err)
}

// CloseWrite sends the end of the stream and leaves the other direction open.
func (c *guestConn) CloseWrite() error { return translate(c.TCPConn.CloseWrite()) }

// abort resets the connection.
func (c *guestConn) abort() {
	c.ep.Abort()
	c.ep.Close()
}

// errnos are the operating system's names of the stack's errors, by the stack's text: gonet keeps only that.
var errnos = map[string]syscall.Errno{
	(&tcpip.ErrConnectionRefused{}).String():  syscall.ECONNREFUSED,
	(&tcpip.ErrConnectionReset{}).String():    syscall.ECONNRESET,
	(&tcpip.ErrConnectionAborted{}).String():  syscall.ECONNABORTED,
	(&tcpip.ErrAborted{}).String():            syscall.ECONNABORTED,
	(&tcpip.ErrTimeout{}).String():            syscall.ETIMEDOUT,
	(&tcpip.ErrHostUnreachable{}).String():    syscall.EHOSTUNREACH,
	(&tcpip.ErrHostDown{}).String():           syscall.EHOSTDOWN,
	(&tcpip.ErrNetworkUnreachable{}).String(): syscall.ENETUNREACH,
	(&tcpip.ErrNoPortAvailable{}).String():    syscall.EADDRNOTAVAIL,
	(&tcpip.ErrClosedForSend{}).String():      syscall.EPIPE,
	(&tcpip.ErrNotConnected{}).String():       syscall.ENOTCONN,
}

// errnoOf is the operating system's error for one of the stack's.
func errnoOf(err tcpip.Error) error {
	if errno, ok := errnos[err.String()]; ok {
		return errno
	}
	return errors.New(err.String())
}

// translate gives a connection's error its operating system's name.
func translate(err error) error {
	var op *net.OpError
	if !errors.As(err, &op) || op.Err == nil {
		return err
	}
	if op.Timeout() {
		op.Err = os.ErrDeadlineExceeded
	} else if errno, ok := errnos[op.Err.Error()]; ok {
		op.Err = errno
	}
	return err
}
