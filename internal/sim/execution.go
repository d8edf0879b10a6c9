package sim

import (
	"math"
	"sort"
)

// Normal draws execution times from a normal distribution, clamped to 0 and the WCET.
type Normal struct{ Mean, Deviation Time }

func (n Normal) limits() []limit {
	return []limit{{"mean", n.Mean, 0, longest}, {"deviation", n.Deviation, 0, longest}}
}

// Work implements Execution, by Box and Muller's transform (A Note on the Generation of Random Normal
// Deviates, Annals of Mathematical Statistics 29(2), 1958).
func (n Normal) Work(_ Time, draw func() uint64) Time {
	if n.Deviation == 0 {
		return n.Mean
	}
	radius := math.Sqrt(-2 * math.Log(1-unit(draw())))
	return n.Mean + Time(math.Round(float64(n.Deviation)*radius*math.Cos(2*math.Pi*unit(draw()))))
}

// Uniform draws execution times from Least to Most, both included, each with the same probability.
type Uniform struct{ Least, Most Time }

func (u Uniform) limits() []limit {
	return []limit{{"least", u.Least, 0, longest}, {"most", u.Most, max(u.Least, 0), longest}}
}

// Work implements Execution.
func (u Uniform) Work(_ Time, draw func() uint64) Time {
	return u.Least + Time(unit(draw())*float64(u.Most-u.Least+1))
}

// Histogram draws execution times that were measured, each as often as it was seen.
type Histogram struct {
	values []Time
	upTo   []uint64 // observations up to and with the value
}

// NewHistogram counts observations.
func NewHistogram(observed []Time) *Histogram {
	sorted := append([]Time(nil), observed...)
	sort.Slice(sorted, func(a, b int) bool { return sorted[a] < sorted[b] })
	h := &Histogram{}
	for i, v := range sorted {
		if n := len(h.values); n > 0 && h.values[n-1] == v {
			h.upTo[n-1]++
			continue
		}
		h.values, h.upTo = append(h.values, v), append(h.upTo, uint64(i)+1)
	}
	return h
}

// Observed lists the observations in ascending order.
func (h *Histogram) Observed() []Time {
	var all []Time
	for i, v := range h.values {
		for uint64(len(all)) < h.upTo[i] {
			all = append(all, v)
		}
	}
	return all
}

// Work implements Execution; without observations it is the WCET.
func (h *Histogram) Work(wcet Time, draw func() uint64) Time {
	if len(h.values) == 0 {
		return wcet
	}
	at := uint64(unit(draw()) * float64(h.upTo[len(h.upTo)-1]))
	return h.values[sort.Search(len(h.upTo), func(i int) bool { return h.upTo[i] > at })]
}

// unit is a number from 0 up to but not including 1, with 53 bits.
func unit(x uint64) float64 { return float64(x>>11) / (1 << 53) }
