package simfile

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// longest is the longest time of a system, in nanoseconds; the simulator takes no longer ones.
const longest = sim.Time(1) << 50

// costliest is the largest overhead of a system.
const costliest = sim.Time(1) << 40

// exactly is the value of a number, without rounding. Numbers beyond what any field takes are refused before
// they cost time and memory.
func exactly(text json.Number) (*big.Rat, bool) {
	const widest = 64
	f, err := text.Float64()
	switch {
	case err != nil || math.IsInf(f, 0) || math.IsNaN(f) || math.Abs(f) > 1e30 || len(text) > widest:
		return nil, false
	case math.Abs(f) < 1e-30:
		return new(big.Rat), true
	}
	return new(big.Rat).SetString(text.String())
}

// number is a number, as it is written; ok is false if it is absent or none.
func (n node) number() (text json.Number, ok bool) {
	if n.absent() {
		return "", false
	}
	text, is := n.value.(json.Number)
	if !is {
		n.refuse("must be a number")
	}
	return text, is
}

// integer is a whole number; 2.0 is one. It is standard if it is absent.
func (n node) integer(standard, least, most int64) int64 {
	text, ok := n.number()
	if !ok {
		return standard
	}
	r, ok := exactly(text)
	if !ok || !r.IsInt() || !r.Num().IsInt64() || r.Num().Int64() < least || r.Num().Int64() > most {
		n.refuse(fmt.Sprintf("use a whole number from %d to %d", least, most))
		return standard
	}
	return r.Num().Int64()
}

// round is the whole number that is nearest to r, halves away from 0.
func round(r *big.Rat) *big.Int {
	twice := new(big.Int).Lsh(new(big.Int).Abs(r.Num()), 1)
	twice.Add(twice, r.Denom())
	twice.Quo(twice, new(big.Int).Lsh(r.Denom(), 1))
	if r.Sign() < 0 {
		twice.Neg(twice)
	}
	return twice
}

// milliseconds is a number of milliseconds, rounded to nanoseconds; standard if it is absent.
func (n node) milliseconds(standard sim.Time) sim.Time {
	text, ok := n.number()
	if !ok {
		return standard
	}
	return n.bounded(scaled(text, sim.Millisecond))
}

// scaled is a number of units in nanoseconds, -1 if it is out of range.
func scaled(text json.Number, unit sim.Time) sim.Time {
	r, ok := exactly(text)
	if !ok {
		return -1
	}
	whole := round(r.Mul(r, new(big.Rat).SetInt64(unit)))
	if !whole.IsInt64() {
		return -1
	}
	return whole.Int64()
}

func (n node) bounded(t sim.Time) sim.Time { return n.atMost(t, longest) }

func (n node) atMost(t, most sim.Time) sim.Time {
	if t < 0 || t > most {
		n.refuse("out of range; use 0 to " + FormatTime(most))
		return 0
	}
	return t
}

// fraction is a positive number, or a text such as "2/3", as a fraction of small numbers. 1/1 is 0, 0, which
// means the same to the simulator, as does a number that is absent.
func (n node) fraction() (numerator, denominator int64) {
	if n.absent() {
		return 0, 0
	}
	const largest = 1024
	r, ok := n.rational()
	if !ok || r.Sign() <= 0 || r.Num().Cmp(big.NewInt(largest)) > 0 || r.Denom().Cmp(big.NewInt(largest)) > 0 {
		n.refuse(fmt.Sprintf("use a number above 0 that is a fraction of whole numbers up to %d", largest))
		return 0, 0
	}
	if r.IsInt() && r.Num().Int64() == 1 {
		return 0, 0
	}
	return r.Num().Int64(), r.Denom().Int64()
}

func (n node) rational() (*big.Rat, bool) {
	if number, is := n.value.(json.Number); is {
		return exactly(number)
	}
	text, is := n.value.(string)
	above, below, fraction := strings.Cut(text, "/")
	if !is || !isNumber(above) || fraction && !isNumber(below) {
		return nil, false
	}
	r, ok := exactly(json.Number(above))
	if !ok || !fraction {
		return r, ok
	}
	divisor, ok := exactly(json.Number(below))
	if !ok || divisor.Sign() == 0 {
		return nil, false
	}
	return r.Quo(r, divisor), true
}
