package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/genode-operator/genode-operator/internal/sim"
)

// simulationBar shows on a terminal how far a simulation is, if it takes long.
type simulationBar struct {
	meter    *meter
	next     sim.Observer
	duration sim.Time
	jobs     int64
}

// Whether it takes long is looked at now and then.
const (
	patience = time.Second
	eachJobs = 1 << 14
)

func newSimulationBar(log io.Writer, next sim.Observer, duration sim.Time) *simulationBar {
	return &simulationBar{meter: newMeter(log), next: next, duration: duration}
}

// Job implements sim.Observer.
func (b *simulationBar) Job(r *sim.Record) {
	b.next.Job(r)
	b.jobs++
	if b.jobs%eachJobs != 0 || !b.meter.terminal || r.Ended == sim.Never || b.duration == 0 {
		return
	}
	now := time.Now()
	if now.Sub(b.meter.began) < patience || now.Sub(b.meter.shown) < redrawBar {
		return
	}
	b.meter.shown = now
	share := float64(r.Ended) / float64(b.duration)
	full := int(share * barWidth)
	left := time.Duration(float64(now.Sub(b.meter.began)) * (1 - share) / max(share, 1e-9))
	b.meter.draw(fmt.Sprintf("[%s%s] %.4g of %.4g s, %d jobs, %s left", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full),
		seconds(r.Ended), seconds(b.duration), b.jobs, left.Round(time.Second)), false)
}

func (b *simulationBar) end() { b.meter.end() }

func seconds(t sim.Time) float64 { return float64(t) / float64(sim.Second) }
