package faketarget

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// control sets what accepted connections inherit from the listening socket.
func (o Options) control(_, _ string, raw syscall.RawConn) error {
	var err error
	set := func(fd uintptr) {
		if o.MSS > 0 {
			err = errors.Join(err, unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, o.MSS))
		}
		if o.ReceiveBuffer > 0 {
			err = errors.Join(err, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, o.ReceiveBuffer))
		}
	}
	return errors.Join(raw.Control(set), err)
}
