package qemu

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// serialPorts are our ends of the guest's further serial ports.
type serialPorts struct{ ours []net.Conn }

// openSerial opens a pair of sockets for each port: one end is ours, the other one QEMU's.
func openSerial(outputs []io.Writer) (ports *serialPorts, theirs []*os.File, err error) {
	ports = &serialPorts{}
	defer func() {
		if err != nil {
			ports.close()
			closeAll(theirs)
		}
	}()
	for i := range outputs {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return ports, theirs, err
		}
		name := fmt.Sprintf("serial%d", i+1)
		theirs = append(theirs, os.NewFile(uintptr(fds[1]), name))
		mine := os.NewFile(uintptr(fds[0]), name)
		conn, err := net.FileConn(mine) // a copy
		if err := errors.Join(err, mine.Close()); err != nil {
			return ports, theirs, err
		}
		ports.ours = append(ports.ours, conn)
	}
	return ports, theirs, nil
}

// carry copies the guest's output until QEMU has ended, and closes our ends.
func (p *serialPorts) carry(outputs []io.Writer, done <-chan struct{}) {
	var all sync.WaitGroup
	for i, conn := range p.ours {
		all.Go(func() { _, _ = io.Copy(outputs[i], conn) }) // ends with QEMU, whose end closes the other side
	}
	<-done
	all.Wait()
	p.close()
}

func (p *serialPorts) close() {
	for _, conn := range p.ours {
		_ = conn.Close()
	}
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
