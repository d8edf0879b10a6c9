//go:build linux

package boot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// seedRandom tells the kernel that it has randomness enough. An emulated machine without a device for
// it gathers some for seconds, while whoever asks waits. Nothing here is secret; what counts is that
// two guests differ, for their DHCP transactions, and they do by time and hardware address.
func seedRandom() error {
	h := sha256.New()
	fmt.Fprint(h, time.Now().UnixNano())
	if links, err := net.Interfaces(); err == nil {
		for _, l := range links {
			h.Write(l.HardwareAddr)
		}
	}
	seed := h.Sum(nil)
	var request bytes.Buffer // struct rand_pool_info: bits, bytes, content
	for _, n := range []int32{int32(len(seed) * 8), int32(len(seed))} {
		if err := binary.Write(&request, binary.NativeEndian, n); err != nil {
			return err
		}
	}
	request.Write(seed)
	f, err := os.OpenFile("/dev/urandom", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), unix.RNDADDENTROPY, uintptr(unsafe.Pointer(&request.Bytes()[0])))
	if errno != 0 {
		return fmt.Errorf("credit randomness: %w", errno)
	}
	return nil
}
