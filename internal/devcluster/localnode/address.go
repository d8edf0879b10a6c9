package localnode

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net"
)

const (
	nodeAddress = "127.0.0.1"

	// reservedPort is bound (UDP) on a pod's address for as long as the pod lives, so that no other
	// node on this machine takes the address.
	reservedPort = 65531

	addressAttempts = 64
)

// reserveAddress finds an address of 127.77.0.0/16 for a pod: preferred, if it is free, else one
// derived from the pod's UID. It is the pod's until release is called.
func reserveAddress(uid, preferred string) (address string, release func(), err error) {
	candidates := make([]string, 0, addressAttempts+1)
	if preferred != "" {
		candidates = append(candidates, preferred)
	}
	for i := range addressAttempts {
		candidates = append(candidates, candidate(uid, i))
	}
	for _, address = range candidates {
		var conn net.PacketConn
		if conn, err = net.ListenPacket("udp4", fmt.Sprintf("%s:%d", address, reservedPort)); err == nil {
			return address, func() { _ = conn.Close() }, nil
		}
	}
	return "", nil, fmt.Errorf("no free address in 127.77.0.0/16 after %d attempts: %w", len(candidates), err)
}

// candidate is the i-th address to try for a pod; never the first or last of a range of 256.
func candidate(uid string, i int) string {
	h := fnv.New32a()
	_, _ = h.Write(binary.BigEndian.AppendUint32([]byte(uid), uint32(i))) // never fails
	sum := h.Sum32()
	return net.IPv4(127, 77, byte(sum>>8), byte(1+sum%254)).String()
}
