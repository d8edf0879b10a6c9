package framing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrMalformed: the bytes are not what the protocol knows.
var ErrMalformed = errors.New("malformed")

// Kind says what an Item is.
type Kind int

// Kinds of items.
const (
	KindFrame  Kind = iota // XML, see Decode
	KindGoSend             // the target waits for a binary
	KindEcho               // the target answers Available
)

// Item is one thing that the target said.
type Item struct {
	Kind Kind
	Body []byte // of a frame; valid until the next call of Add
}

// Expect says which words may come instead of the length of a frame.
type Expect struct {
	GoSend bool // a binary is to be sent
	Echo   bool // Available was sent and has not come back
}

// Splitter cuts the stream of bytes from a target into items. It holds no more memory than bytes have
// really come, whatever length they claim. The zero Splitter refuses every frame; set Max.
type Splitter struct {
	Max uint32 // longest frame in bytes
	buf []byte
	pos int
}

// Add takes over bytes that came in.
func (s *Splitter) Add(p []byte) {
	if s.pos > 0 {
		s.buf = slices.Delete(s.buf, 0, s.pos)
		s.pos = 0
	}
	if len(s.buf) == 0 && cap(s.buf) > 1<<20 {
		s.buf = nil // give a large frame's memory back
	}
	s.buf = append(s.buf, p...)
}

// Pending is the number of bytes that are not yet part of an item that Next returned.
func (s *Splitter) Pending() int { return len(s.buf) - s.pos }

// Next returns the next item; ok is false while it is incomplete. An expected word is taken for one,
// unless a document follows it: then it is the length of a frame that happens to be the same. Errors
// are ErrMalformed: a frame that is too long, empty, or does not begin like a document, which is
// noticed at its first byte.
func (s *Splitter) Next(expect Expect) (item Item, ok bool, err error) {
	rest := s.buf[s.pos:]
	if len(rest) < 4 {
		return Item{}, false, nil
	}
	word := binary.LittleEndian.Uint32(rest)
	body := rest[4:]
	if kind, expected := expect.kind(word); expected && !beginsDocument(body) {
		s.pos += 4
		return Item{Kind: kind}, true, nil
	}
	if word == 0 || word > s.Max {
		return Item{}, false, fmt.Errorf("%w: a frame of %d (%#x) bytes, where 1 to %d are allowed", ErrMalformed, word, word, s.Max)
	}
	if len(body) > 0 && body[0] != '<' {
		return Item{}, false, fmt.Errorf("%w: a frame of %d bytes begins with %q instead of \"<\"", ErrMalformed, word, body[0])
	}
	if uint64(len(body)) < uint64(word) {
		return Item{}, false, nil
	}
	s.pos += 4 + int(word)
	return Item{Kind: KindFrame, Body: body[:word:word]}, true, nil
}

func (e Expect) kind(word uint32) (Kind, bool) {
	switch {
	case e.GoSend && word == uint32(GoSend):
		return KindGoSend, true
	case e.Echo && word == uint32(Available):
		return KindEcho, true
	}
	return KindFrame, false
}

// beginsDocument reports whether what follows a word is a document and not another item: as the length
// of a frame these four characters would be more than a gigabyte.
func beginsDocument(body []byte) bool {
	return len(body) >= 4 && (string(body[:4]) == "<pro" || string(body[:4]) == "<liv")
}
