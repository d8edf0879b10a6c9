package sched

import (
	"math"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// hasRoom reports whether the processors are idle long enough to round as SimSo does: each part of a job is
// rounded up, so that every task may take a nanosecond of each processor too much, in its shortest window.
func (a *unfair) hasRoom() bool {
	more := sim.Time(len(a.order) * len(a.p.want))
	limit := rate{whole: int64(len(a.p.want))}
	var sum rate
	for _, k := range a.order {
		if k.window-k.task.WCET < more {
			return false
		}
		if sum = sum.add(rateOf(k.task.WCET+more, k.window)); sum.compare(limit) > 0 {
			return false
		}
	}
	return true
}

// spreadRounded makes the parts in floating-point milliseconds, rounded up. It reports whether all work got a place.
func (a *unfair) spreadRounded(now sim.Time) bool {
	for processor := range a.p.want {
		a.roundOn(processor, now)
	}
	for i := range a.spreads {
		if a.spreads[i].loose > 0 {
			return false
		}
	}
	return true
}

// roundOn is spreadOn with numbers that are rounded. Products are converted lest a machine fuses them with sums.
func (a *unfair) roundOn(processor int, now sim.Time) {
	var before, kept, reserved float64
	var given sim.Time
	last, first := now, float64(processor)
	for _, k := range a.order {
		s, end := &a.spreads[k.index], a.end(k, now)
		reserved += float64(float64(end-last) * kept)
		last = end
		room := float64(end-now-given-s.given) - reserved
		part := sim.Time(math.Ceil(max(0, min(room, s.loose))))
		a.parts[k.index][processor] = part
		s.loose, s.given = s.loose-float64(part), s.given+part
		given += part
		after := before + milliseconds(k.task.WCET)/milliseconds(k.window)
		kept += filled(after-first) - filled(before-first)
		before = after
	}
}

// filled is the part of a processor that a rate fills.
func filled(r float64) float64 { return min(max(r, 0), 1) }

func milliseconds(t sim.Time) float64 { return float64(t) / float64(sim.Millisecond) }

// loose is the work that is left of a job, as the difference of two times in milliseconds.
func loose(wcet, left sim.Time) float64 {
	return float64((milliseconds(wcet) - milliseconds(wcet-left)) * float64(sim.Millisecond))
}
