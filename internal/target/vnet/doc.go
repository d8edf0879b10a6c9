// Package vnet is the network between a target pod and the one guest in it, in user space: no
// privilege, no TAP device, no bridge.
//
//	            pod                        ┊            QEMU
//	                                       ┊
//	Echoes ──────── echo frames ─────┐     ┊ unix stream socket
//	DHCP answers ────────────────────┤     ┊ (4 bytes length, frame)
//	Forward ─┐                       ├─ wire ─────────────── NIC ── guest
//	DialGuest├─ gVisor TCP ── link ──┘     ┊                  │
//	         │                             ┊                  │
//	         └────────── ingress filter ◄──┊── frameReader ◄──┘
//
// There is exactly one guest, so there is no switch and no address table that a guest could fill:
// every frame that leaves goes to the guest, every frame that arrives is judged by one pure function
// (classify) and is an echo reply, a DHCP request, something for the TCP stack, or dropped. Nothing is
// routed: the guest reaches the gateway's address and nothing behind it.
//
// Echoes do not pass through the TCP/IP stack. They are made and matched at the frame level, so that
// their times are those of the socket, a silent guest costs no timer or queue, and no neighbour cache
// has to expire before a recovered guest is heard again.
package vnet
