// Package port makes a serial line a TCP port.
//
// With TLS, the client says first who it is and what it wants, in one line of JSON (see Hello), and is
// answered in lines of JSON (share.Notice): waiting, maybe, and then connected or denied. From there on both
// directions are the bytes of the line, as they are.
//
// Without TLS there is no greeting: a connection is the line, like that of Genode's TCP terminal. Such a port
// belongs on loopback, where the pod ends. Instead of listening, a port may dial out to somebody who does.
package port
