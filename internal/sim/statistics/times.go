package statistics

import (
	"math"
	"math/big"
	"math/bits"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// Moments sum up spans of time, without keeping them. The zero Moments are ready to use.
type Moments struct {
	count       int64
	least, most sim.Time
	sum, square wide
}

// Times are Moments that know percentiles, too.
type Times struct {
	Moments
	few  []sim.Time // all of them, unless they are many
	many *hdrhistogram.Histogram
}

const (
	// Exact is up to how many times percentiles are exact; beyond that they are at most 1 % too high.
	Exact = 4096
	// longest is more than any response time of a simulation.
	longest = sim.Time(1) << 52
	digits  = 2 // of a percentile among many times
)

// Add counts a time of 0 or more.
func (m *Moments) Add(v sim.Time) {
	if m.count == 0 || v < m.least {
		m.least = v
	}
	m.most = max(m.most, v)
	m.count++
	m.sum.add(0, uint64(v))
	m.square.add(bits.Mul64(uint64(v), uint64(v)))
}

// Merge counts all times of another one.
func (m *Moments) Merge(o *Moments) {
	if o.count == 0 {
		return
	}
	if m.count == 0 || o.least < m.least {
		m.least = o.least
	}
	m.most = max(m.most, o.most)
	m.count += o.count
	m.sum.add(o.sum.high, o.sum.low)
	m.square.add(o.square.high, o.square.low)
}

// Add counts a time of 0 or more.
func (t *Times) Add(v sim.Time) {
	t.Moments.Add(v)
	t.keep(v)
}

// Merge counts all times of another one.
func (t *Times) Merge(o *Times) {
	t.Moments.Merge(&o.Moments)
	if o.many != nil {
		t.spill()
		t.many.Merge(o.many)
	}
	for _, v := range o.few {
		t.keep(v)
	}
}

func (t *Times) keep(v sim.Time) {
	if t.many == nil && len(t.few) < Exact {
		t.few = append(t.few, v)
		return
	}
	t.spill()
	t.record(v)
}

// spill puts times that are too many to be kept into a histogram.
func (t *Times) spill() {
	if t.many == nil {
		t.many = hdrhistogram.New(1, longest, digits)
	}
	for _, v := range t.few {
		t.record(v)
	}
	t.few = nil
}

func (t *Times) record(v sim.Time) {
	_ = t.many.RecordValue(min(v, longest)) // it only fails beyond longest
}

// Count is the number of times.
func (m *Moments) Count() int64 { return m.count }

// Least of the times; 0 without any.
func (m *Moments) Least() sim.Time { return m.least }

// Most is the longest time; 0 without any.
func (m *Moments) Most() sim.Time { return m.most }

// Mean of the times in nanoseconds, correctly rounded; 0 without any.
func (m *Moments) Mean() float64 {
	if m.count == 0 {
		return 0
	}
	mean, _ := new(big.Rat).SetFrac(m.sum.big(), big.NewInt(m.count)).Float64()
	return mean
}

// Deviation is the standard deviation of all times from their mean, in nanoseconds: the root of the variance
// (n·Σv² - (Σv)²)/n², whose parts are exact.
func (m *Moments) Deviation() float64 {
	if m.count == 0 {
		return 0
	}
	n, sum := big.NewInt(m.count), m.sum.big()
	above := new(big.Int).Mul(n, m.square.big())
	above.Sub(above, sum.Mul(sum, sum))
	variance, _ := new(big.Rat).SetFrac(above, n.Mul(n, n)).Float64()
	return math.Sqrt(variance)
}

// Percentile is the time that p percent of the times, 0 to 100, do not exceed; 0 without any. Among up to Exact times it
// lies between two neighbours in proportion (Hyndman and Fan, Sample Quantiles in Statistical Packages, The American
// Statistician 50(4), 1996, number 7). Among more it is the highest time that a histogram cannot tell from it.
func (t *Times) Percentile(p float64) float64 {
	p = min(max(p, 0), 100)
	switch {
	case t.count == 0:
		return 0
	case t.many != nil:
		return float64(min(max(t.many.ValueAtPercentile(p), t.least), t.most))
	}
	slices.Sort(t.few)
	at := p / 100 * float64(len(t.few)-1)
	low := int(at)
	high := min(low+1, len(t.few)-1)
	above := (at - float64(low)) * float64(t.few[high]-t.few[low])
	return float64(t.few[low]) + float64(above) // the conversion keeps processors from fusing the two
}

// wide is an unsigned number of 128 bits: room for the squares of 2^24 times of the longest that there are.
type wide struct{ high, low uint64 }

func (w *wide) add(high, low uint64) {
	var carry uint64
	w.low, carry = bits.Add64(w.low, low, 0)
	w.high, _ = bits.Add64(w.high, high, carry)
}

func (w *wide) big() *big.Int {
	b := new(big.Int).SetUint64(w.high)
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(w.low))
}
