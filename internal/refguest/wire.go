package refguest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The words of the protocol: 32 bit, little endian, some with a body behind them.
const (
	wordSendDescs    uint32 = 0x00000DE5 // u32 size, XML
	wordClear        uint32 = 0x00000DE6
	wordSendBinaries uint32 = 0x0DE5F11E // u32 count, then header and content of each binary
	wordGoSend       uint32 = 0x00000090 // answer: send the next binary
	wordStart        uint32 = 0x00514DE5
	wordStop         uint32 = 0x00514DE6
	wordGetProfile   uint32 = 0x000159D1
	wordGetLive      uint32 = 0x000159D2
	wordReboot       uint32 = 0x000159D3
)

// binaryNameSize is the name field of a binary's header; 15 characters and a NUL are usable.
const binaryNameSize = 16

// errTooLarge: the client announced more than the server takes. The announced bytes cannot be
// skipped in good faith, so the connection ends.
var errTooLarge = errors.New("larger than this target accepts")

func readWord(r io.Reader) (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

// readBody reads a u32 size and as many bytes. The buffer grows with what arrives, so a size alone
// costs no memory.
func readBody(r io.Reader, what string, limit int64) ([]byte, error) {
	size, err := readWord(r)
	if err != nil {
		return nil, fmt.Errorf("read size of %s: %w", what, err)
	}
	if int64(size) > limit {
		return nil, fmt.Errorf("%s of %d bytes, limit %d: %w", what, size, limit, errTooLarge)
	}
	body, err := readExactly(r, int(size))
	if err != nil {
		return nil, fmt.Errorf("read %s of %d bytes: %w", what, size, err)
	}
	return body, nil
}

func readExactly(r io.Reader, size int) ([]byte, error) {
	const chunk = 1 << 20
	body := make([]byte, 0, min(size, chunk))
	for len(body) < size {
		n := min(size-len(body), chunk)
		have := len(body)
		body = append(body, make([]byte, n)...)
		if _, err := io.ReadFull(r, body[have:]); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// frame puts the length before a text and a NUL behind it; the length counts the NUL.
func frame(text []byte) []byte {
	f := make([]byte, 0, len(text)+5)
	f = binary.LittleEndian.AppendUint32(f, uint32(len(text)+1))
	f = append(f, text...)
	return append(f, 0)
}
