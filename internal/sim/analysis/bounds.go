package analysis

import "math/big"

// The utilization bounds below need implicit deadlines (D = T); with a shorter one they are false.

// PartitionedEDF reports whether first fit on so many processors, each scheduled by EDF, is safe whatever the
// order of the tasks: U <= (bm+1)/(b+1) with b = floor(1/umax). (Lopez, Diaz and Garcia, Utilization Bounds
// for EDF Scheduling on Real-Time Multiprocessor Systems, RTS 28, 2004.)
func PartitionedEDF(s Set, processors int) bool {
	if !s.implicit() || s.overloaded(processors) {
		return false
	}
	heaviest := s.heaviest()
	b := new(big.Int).Quo(heaviest.Denom(), heaviest.Num()).Int64()
	return s.Utilization().Cmp(big.NewRat(b*int64(processors)+1, b+1)) <= 0
}

// RMUS reports whether global rate-monotonic priorities with separation, RM-US[m/(3m-2)], are safe: tasks
// above that utilization get the highest priority, and U <= m^2/(3m-2). (Andersson, Baruah and Jonsson,
// Static-Priority Scheduling on Multiprocessors, RTSS 2001.)
func RMUS(s Set, processors int) bool {
	m := int64(processors)
	return s.implicit() && !s.overloaded(processors) && s.Utilization().Cmp(big.NewRat(m*m, 3*m-2)) <= 0
}

// EDFUS reports whether global EDF-US[1/2] is safe: tasks above utilization 1/2 get the highest priority, and
// U <= (m+1)/2. (Baker, An Analysis of EDF Schedulability on a Multiprocessor, IEEE TPDS 16(8), 2005.)
func EDFUS(s Set, processors int) bool {
	return s.implicit() && !s.overloaded(processors) && s.Utilization().Cmp(big.NewRat(int64(processors)+1, 2)) <= 0
}

// Feasible reports whether some scheduler meets all deadlines on so many processors: U <= m and no u > 1.
// That is exact; Pfair, LLREF, DP-WRAP, RUN and U-EDF reach it.
func Feasible(s Set, processors int) bool { return s.implicit() && !s.overloaded(processors) }

func (s Set) heaviest() *big.Rat {
	most := new(big.Rat)
	for _, t := range s {
		if u := big.NewRat(t.C, t.T); u.Cmp(most) > 0 {
			most = u
		}
	}
	return most
}
