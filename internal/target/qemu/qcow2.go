package qemu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	qcow2Magic       = "QFI\xfb"
	qcow2ClusterBits = 16
	qcow2Cluster     = 1 << qcow2ClusterBits
	qcow2Size        = 1 << 20 // of the disk; the state of a machine is stored beside it
)

// qcow2Header is version 3 of the format's header, big-endian.
type qcow2Header struct {
	Magic                 [4]byte
	Version               uint32
	BackingFileOffset     uint64
	BackingFileSize       uint32
	ClusterBits           uint32
	Size                  uint64
	CryptMethod           uint32
	L1Size                uint32
	L1TableOffset         uint64
	RefcountTableOffset   uint64
	RefcountTableClusters uint32
	Snapshots             uint32
	SnapshotsOffset       uint64
	Incompatible          uint64
	Compatible            uint64
	AutoClear             uint64
	RefcountOrder         uint32
	HeaderLength          uint32
}

// emptyQcow2 is the content of an empty image of four clusters: header, reference count table,
// reference counts (16 bits each), and the first-level table. Writing it here saves qemu-img in the
// image of the target.
func emptyQcow2() []byte {
	var b bytes.Buffer
	header := qcow2Header{
		Magic: [4]byte([]byte(qcow2Magic)), Version: 3, ClusterBits: qcow2ClusterBits, Size: qcow2Size,
		L1Size: 1, L1TableOffset: 3 * qcow2Cluster,
		RefcountTableOffset: qcow2Cluster, RefcountTableClusters: 1,
		RefcountOrder: 4, HeaderLength: 104,
	}
	_ = binary.Write(&b, binary.BigEndian, header) // a fixed-size struct into memory cannot fail
	image := make([]byte, 4*qcow2Cluster)
	copy(image, b.Bytes())
	binary.BigEndian.PutUint64(image[qcow2Cluster:], 2*qcow2Cluster)
	for i := range 4 {
		binary.BigEndian.PutUint16(image[2*qcow2Cluster+2*i:], 1)
	}
	return image
}

// diskFormat tells a qcow2 image from a raw one by its first bytes.
func diskFormat(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("boot.disk: %w", err)
	}
	defer f.Close()
	magic := make([]byte, len(qcow2Magic))
	switch _, err := io.ReadFull(f, magic); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "", fmt.Errorf("boot.disk: %s is shorter than %d bytes; it is no disk image", path, len(magic))
	case err != nil:
		return "", fmt.Errorf("boot.disk: %w", err)
	}
	if string(magic) == qcow2Magic {
		return "qcow2", nil
	}
	return "raw", nil
}
