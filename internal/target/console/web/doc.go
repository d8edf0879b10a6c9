// Package web makes a serial line a WebSocket, for programs that come through the manager.
//
// A binary message is bytes of the line, in either direction. A text message is a share.Notice as JSON: to the
// client, what it is told; from the client, the size of its terminal (event "size"). A client is denied with
// an HTTP status before there is a WebSocket, and told of everything later by notices; the last one is
// "closed".
package web
