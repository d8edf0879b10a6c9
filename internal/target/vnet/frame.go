package vnet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	prefixSize = 4 // bytes of length before each frame, big endian
	ethSize    = 14
	vlanSize   = 4
	// maxFrame is the largest frame that QEMU's network layer can hold. A longer one is not a frame: the
	// two sides have lost step, and the connection is of no use any more.
	maxFrame    = 4096 + 65536
	readBufSize = 32 << 10
)

// errFrameLength says that the peer announced a frame that cannot be one.
var errFrameLength = errors.New("not QEMU's stream framing")

// frameReader reads frames in the framing of QEMU's stream sockets. It never holds more than its
// buffer, whatever length the peer announces.
type frameReader struct {
	r       *bufio.Reader
	limit   int    // longer frames are passed over
	used    int    // bytes of the frame that was handed out last
	skipped uint64 // frames that were too short or too long to be handed out
}

// newFrameReader hands out frames for the given MTU.
func newFrameReader(r io.Reader, mtu int) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, readBufSize), limit: mtu + ethSize + vlanSize}
}

// next is the next frame; it is valid until next is called again. The error is io.EOF when the peer closed
// between two frames, io.ErrUnexpectedEOF within one, errFrameLength for an impossible length.
func (f *frameReader) next() ([]byte, error) {
	for {
		size, err := f.head()
		if err != nil {
			return nil, err
		}
		if size < ethSize || size > f.limit {
			f.skipped++
			if _, err := f.r.Discard(size); err != nil {
				return nil, midFrame(err)
			}
			continue
		}
		frame, err := f.r.Peek(size)
		if err != nil {
			return nil, midFrame(err)
		}
		f.used = size
		return frame, nil
	}
}

// head drops the frame before and reads the length of the next one.
func (f *frameReader) head() (int, error) {
	if _, err := f.r.Discard(f.used); err != nil {
		return 0, fmt.Errorf("drop frame: %w", err)
	}
	f.used = 0
	prefix, err := f.r.Peek(prefixSize)
	if err != nil {
		if len(prefix) > 0 {
			return 0, midFrame(err)
		}
		return 0, err
	}
	size := binary.BigEndian.Uint32(prefix)
	if size > maxFrame {
		return 0, fmt.Errorf("frame of %d bytes (at most %d): %w", size, maxFrame, errFrameLength)
	}
	if _, err := f.r.Discard(prefixSize); err != nil {
		return 0, fmt.Errorf("drop frame length: %w", err)
	}
	return int(size), nil
}

// midFrame turns the end of the stream into the error that it is within a frame.
func midFrame(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendFrame appends a frame, given in parts, with its length before it.
func appendFrame(b []byte, parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(size)) // a frame has at most MTU+14 bytes
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}
