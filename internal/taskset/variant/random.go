package variant

import (
	"crypto/sha256"
	"encoding/binary"
)

// random is a counter-based generator: its words are a function of what it was made from and of how
// many were taken, so that any variant's numbers are had without those of any other one. Word k is
//
//	the first 8 bytes, big-endian, of SHA-256(purpose + seed + a + b + k)
//
// with purpose a text and the others 8 bytes each, big-endian. Any language can compute it, which is
// worth more here than speed. The construction, a keyed hash of a counter, is the one of Salmon,
// Moraes, Dror and Shaw: Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011), with a stronger hash.
type random struct {
	message []byte
	k       uint64
}

// Purposes keep streams of one seed apart.
const (
	purposeDraw      = "genode-operator/draw/1"
	purposeGenerator = "genode-operator/generator/1"
	purposeUID       = "genode-operator/seed/1"
)

func newRandom(purpose string, seed int64, a, b uint64) random {
	message := make([]byte, 0, len(purpose)+32)
	message = append(message, purpose...)
	message = binary.BigEndian.AppendUint64(message, uint64(seed))
	message = binary.BigEndian.AppendUint64(message, a)
	return random{message: binary.BigEndian.AppendUint64(message, b)}
}

// block is the whole hash of the next counter.
func (r *random) block() [sha256.Size]byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(r.message, r.k))
	r.k++
	return sum
}

// word is uniform over 64 bits.
func (r *random) word() uint64 {
	sum := r.block()
	return binary.BigEndian.Uint64(sum[:])
}

// Uint64N is uniform over 0 to n-1; over 64 bits when n is 0. Words of the last, incomplete multiple of
// n are skipped, so that no number is more probable than another.
func (r *random) Uint64N(n uint64) uint64 {
	if n == 0 {
		return r.word()
	}
	excess := -n % n // 2^64 mod n
	for {
		if w := r.word(); w <= ^uint64(0)-excess {
			return w % n
		}
	}
}

// Float64 is uniform over the multiples of 2^-53 from 0 to less than 1.
func (r *random) Float64() float64 { return float64(r.word()>>11) / (1 << 53) }

// SeedOf makes a seed from the UID of a campaign that has none of its own: the first 53 bits of the
// SHA-256 of a fixed text and the UID. 53 bits pass unharmed through JSON tools that know only floating point.
func SeedOf(uid string) int64 {
	sum := sha256.Sum256([]byte(purposeUID + uid))
	return int64(binary.BigEndian.Uint64(sum[:]) >> 11)
}
