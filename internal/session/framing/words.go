// Package framing is the codec of the taskloader's wire protocol. It is pure: bytes in, values out.
//
// Everything on the wire is little endian. The client sends 32-bit words, some of them followed by a
// body. The target sends three kinds of items without any tag: the word GoSend, the word Available as
// an echo, and frames, which are a 32-bit length and so many bytes of XML. Only the state of the
// client and the first bytes that follow tell them apart; see Splitter.
package framing

import (
	"encoding/binary"
	"fmt"
)

// Word is what a message begins with.
type Word uint32

// Words of the protocol.
const (
	SendDescs    Word = 0x00000DE5 // u32 size, then the description
	Clear        Word = 0x00000DE6 // stop everything and forget the tasks; binaries are kept
	SendBinaries Word = 0x0DE5F11E // u32 count, then GoSend and one binary, count times
	GoSend       Word = 0x00000090 // from the target: send the next binary
	Start        Word = 0x00514DE5
	Stop         Word = 0x00514DE6
	GetProfile   Word = 0x000159D1 // one profile frame, or nothing
	GetLive      Word = 0x000159D2 // one live frame, or nothing
	Reboot       Word = 0x000159D3 // restarts the board; not 2017
	Optimize     Word = 0x006F7074 // u32 size, then a document; 2017 only, the others lose the thread
	Available    Word = 0x000AAAAA // generation 1802 echoes it; the others skip it
)

// MaxName is the number of characters in the name of a binary.
const MaxName = 15

// AppendWords appends words to dst.
func AppendWords(dst []byte, words ...Word) []byte {
	for _, w := range words {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(w))
	}
	return dst
}

// AppendDescription appends SendDescs with a description.
func AppendDescription(dst, description []byte) []byte {
	return appendDocument(dst, SendDescs, description)
}

// AppendOptimize appends Optimize with a document.
func AppendOptimize(dst, document []byte) []byte { return appendDocument(dst, Optimize, document) }

func appendDocument(dst []byte, word Word, document []byte) []byte {
	dst = AppendWords(dst, word, Word(len(document)))
	return append(dst, document...)
}

// AppendBinaryHeader appends the header of one binary: 16 bytes of name, zero padded, and the size.
// Names that have not 1 to 15 bytes, or have a NUL among them, and sizes of 2^31 or more are refused.
func AppendBinaryHeader(dst []byte, name string, size int) ([]byte, error) {
	if len(name) < 1 || len(name) > MaxName {
		return dst, fmt.Errorf("binary %q: the wire has room for 1 to %d characters, not %d; rename it", name, MaxName, len(name))
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' {
			return dst, fmt.Errorf("binary %q: names are printable ASCII; rename it", name)
		}
	}
	if size < 0 || size > 1<<31-1 {
		return dst, fmt.Errorf("binary %q: %d bytes, but the target counts in 31 bits; make it smaller", name, size)
	}
	var padded [MaxName + 1]byte
	copy(padded[:], name)
	dst = append(dst, padded[:]...)
	return binary.LittleEndian.AppendUint32(dst, uint32(size)), nil
}
