package simfile

import (
	"fmt"
	"math/big"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// time is a number of milliseconds; standard if it is absent.
func (r *caseReader) time(n node, standard sim.Time) sim.Time {
	if r.exact {
		return n.milliseconds(standard * sim.Millisecond)
	}
	text, ok := n.number()
	if !ok {
		return standard * r.cycles
	}
	ms, err := text.Float64()
	if err != nil || ms < 0 || ms*float64(r.cycles) > float64(longest) {
		n.refuse(fmt.Sprintf("out of range; use 0 to %d", longest/r.cycles))
		return 0
	}
	return sim.Time(ms * float64(r.cycles))
}

// cost is a number of cycles; standard if it is absent.
func (r *caseReader) cost(n node, standard int64) sim.Time {
	return n.atMost(r.ofCycles(n, n.integer(standard, 0, costliest)), costliest)
}

// duration is a number of cycles; SimSo's if it is absent.
func (r *caseReader) duration(n node) sim.Time {
	const standard = 100 // ms
	return r.ofCycles(n, n.integer(standard*r.cycles, 0, longest))
}

func (r *caseReader) ofCycles(n node, cycles int64) sim.Time {
	if !r.exact {
		return cycles
	}
	ns := new(big.Rat).SetFrac64(cycles, r.cycles)
	whole := round(ns.Mul(ns, new(big.Rat).SetInt64(sim.Millisecond)))
	if !whole.IsInt64() {
		return n.bounded(-1)
	}
	return n.bounded(whole.Int64())
}
