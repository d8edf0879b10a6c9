package qmp

import (
	"errors"
	"fmt"
)

var (
	// ErrTimeout: QEMU did not answer in time; the connection stays usable.
	ErrTimeout = errors.New("QEMU did not answer in time")
	// ErrDisconnected: the connection has ended, be it by QEMU or because it sent what is not QMP.
	ErrDisconnected = errors.New("the QMP connection has ended")
	// ErrClosed: the client was used after Close.
	ErrClosed = errors.New("the QMP client is closed")
)

// Error is QEMU's answer to a command that failed.
type Error struct {
	Class string `json:"class"` // GenericError, CommandNotFound, DeviceNotFound, …
	Desc  string `json:"desc"`  // for people
}

// Error returns QEMU's description, with its class unless that is the usual one.
func (e *Error) Error() string {
	if e.Class == "" || e.Class == "GenericError" {
		return e.Desc
	}
	return fmt.Sprintf("%s (%s)", e.Desc, e.Class)
}
