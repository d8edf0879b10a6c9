package vnet

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/genode-operator/genode-operator/internal/session/peer"
)

// dialTimeout is how long the guest has for accepting a forwarded connection.
const dialTimeout = 10 * time.Second

// Forward accepts connections on l and forwards each to the guest's port: half-closes and resets pass through in
// both directions, and a guest that refuses, or does not accept within ten seconds, resets the client. Connections
// above Config.MaxConnections (counted over all forwarded ports) are reset. It closes l, and returns nil
// when ctx ends, net.ErrClosed (wrapped) when the network is closed, or an error when l cannot accept any more; the
// connections that it forwarded are reset and have ended then.
func (n *Network) Forward(ctx context.Context, l net.Listener, port uint16) error {
	defer func() { _ = l.Close() }()
	running, cancel := context.WithCancel(ctx)
	stopClose := n.whenClosed(cancel)
	defer stopClose()
	stopAccept := context.AfterFunc(running, func() { _ = l.Close() })
	defer stopAccept()
	var relays sync.WaitGroup
	defer relays.Wait()
	defer cancel() // before the wait: cuts what is open
	for {
		client, err := peer.Accept(running, l)
		switch {
		case err == nil:
			relays.Go(func() { n.forward(running, client, port) })
		case running.Err() != nil:
			return n.ended(ctx)
		default:
			return fmt.Errorf("accept a connection on %s: %w", l.Addr(), err)
		}
	}
}

// forward forwards one connection.
func (n *Network) forward(ctx context.Context, client net.Conn, port uint16) {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	r := &relay{client: client, cancel: cancel}
	defer r.cut() // what is not finished
	if !n.relays.add(r) {
		n.log.V(flow).Info("Rejecting connection", "client", client.RemoteAddr().String(), "open", n.relays.count(), "limit", n.cfg.MaxConnections)
		return
	}
	defer n.relays.remove(r)
	stop := context.AfterFunc(ctx, r.cut)
	defer stop()
	guest, err := n.dial(dialing, port)
	if err != nil {
		n.log.V(detail).Info("Resetting connection", "client", client.RemoteAddr().String(), "port", port, "reason", err.Error())
		return
	}
	if r.adopt(guest) {
		r.run()
	}
}

// ResetConnections resets every forwarded connection on both sides. It is for the moment when the guest's memory
// broke (reset, restore): the guest knows nothing of them any more.
func (n *Network) ResetConnections() { n.relays.cut() }

// OpenConnections is the number of connections that are forwarded right now, those included that the guest has not
// accepted yet.
func (n *Network) OpenConnections() int { return n.relays.count() }
