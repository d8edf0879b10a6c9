package vnet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// mac is a hardware address that can be compared.
type mac [6]byte

func (m mac) link() tcpip.LinkAddress { return tcpip.LinkAddress(m[:]) }

// place is where the guest is.
type place struct {
	mac  mac
	addr netip.Addr
}

// sighting is what is known of the guest's place.
type sighting struct {
	place
	known bool            // the MAC is known, if only from an earlier connection
	heard bool            // a frame of the present connection came from there
	next  <-chan struct{} // closed when a guest is heard for the first time on a connection, after now
}

// whereabouts knows where the guest is. An entry does not expire: a guest that was reset or restored has the
// same place, and the first frame to it must not wait for ARP. A new connection makes the entry doubtful
// (another QEMU may have another MAC); the next frame from the guest settles it.
type whereabouts struct {
	declared netip.Addr           // the address that the guest should have
	given    bool                 // the MAC was given: it holds until the guest shows another one
	moved    func(from, to place) // is told each change, while mu is held
	mu       sync.Mutex           // guards what follows
	at       place                //
	known    bool                 // see sighting
	heard    bool                 // see sighting
	next     chan struct{}        // see sighting
}

func newWhereabouts(declared netip.Addr, given net.HardwareAddr, moved func(from, to place)) *whereabouts {
	w := &whereabouts{declared: declared, moved: moved, next: make(chan struct{}), at: place{addr: declared}}
	if given != nil {
		w.given, w.known, w.at.mac = true, true, mac(given)
		moved(place{}, w.at)
	}
	return w
}

// seen says that a frame of the guest came from there. Of a guest with several addresses the declared one
// wins, and before that was seen, the first one.
func (w *whereabouts) seen(m mac, addr netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := place{mac: m, addr: addr}
	if w.heard && (next == w.at || (addr != w.at.addr && addr != w.declared)) {
		return
	}
	if !w.known || next != w.at {
		w.moved(w.at, next)
	}
	w.at, w.known = next, true
	if !w.heard {
		w.heard = true
		close(w.next)
		w.next = make(chan struct{})
	}
}

// doubt says that a new connection was made.
func (w *whereabouts) doubt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = false
}

func (w *whereabouts) now() sighting {
	w.mu.Lock()
	defer w.mu.Unlock()
	return sighting{place: w.at, known: w.known, heard: w.heard, next: w.next}
}

// await waits until the guest can be sent to, and asks for its address each period meanwhile.
func (w *whereabouts) await(ctx context.Context, period time.Duration, ask func(netip.Addr)) (netip.Addr, error) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		s := w.now()
		if s.heard || w.given {
			return s.addr, nil
		}
		ask(s.addr)
		select {
		case <-s.next:
		case <-ticker.C:
		case <-ctx.Done():
			return netip.Addr{}, fmt.Errorf("guest %s has not been heard yet: %w", s.addr, context.Cause(ctx))
		}
	}
}
