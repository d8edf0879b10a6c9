package supervisor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of a Supervisor. The methods of a nil *Metrics do nothing.
type Metrics struct {
	freezes    *prometheus.CounterVec
	recoveries *prometheus.CounterVec
	oddities   *prometheus.CounterVec
	detection  *prometheus.HistogramVec
	outage     *prometheus.HistogramVec
	echoes     prometheus.Histogram
}

// NewMetrics registers the metrics of s with a registry.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	// Doubling from 25 ms (a fast verdict, or a restored guest's first answer) to 50 s (longest usual boot).
	spans := prometheus.ExponentialBuckets(0.025, 2, 12)
	m := &Metrics{
		freezes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "genode_guest_unhealthy_total", Help: "Times that the guest was found unhealthy, by verdict.",
		}, []string{"verdict"}),
		recoveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "genode_guest_recoveries_total", Help: "Recoveries after which the guest answered again, by step.",
		}, []string{"step"}),
		oddities: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "genode_guest_oddities_total", Help: "Resets by the guest itself, false alarms, and snapshots that it did not survive.",
		}, []string{"kind"}),
		detection: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "genode_guest_detection_seconds", Help: "Time from the last sign of life to the verdict, by verdict.", Buckets: spans,
		}, []string{"verdict"}),
		outage: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "genode_guest_outage_seconds", Help: "Time from the verdict to the next answered echo, by step.", Buckets: spans,
		}, []string{"step"}),
		// From 50 µs (an idle guest) to 1.6 s (longer is silence).
		echoes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "genode_guest_echo_seconds", Help: "Round trip of an echo into the guest.", Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16),
		}),
	}
	registry.MustRegister(m.freezes, m.recoveries, m.oddities, m.detection, m.outage, m.echoes)
	return m
}

// Watch registers gauges that are read from s when somebody asks.
func (m *Metrics) Watch(registry prometheus.Registerer, s *Supervisor) {
	gauge := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("genode_guest_boots", "Starts of the guest from nothing in this pod.", func() float64 { return float64(s.State().Boots) })
	gauge("genode_guest_connections", "Connections that are forwarded to the guest.", func() float64 { return float64(s.State().OpenConnections) })
	gauge("genode_guest_ready", "1 while sessions may be opened.", func() float64 {
		if s.State().Ready {
			return 1
		}
		return 0
	})
}

func (m *Metrics) freeze(verdict string, silent time.Duration) {
	if m != nil {
		m.freezes.WithLabelValues(verdict).Inc()
		m.detection.WithLabelValues(verdict).Observe(silent.Seconds())
	}
}

func (m *Metrics) recovered(step Step, outage time.Duration) {
	if m != nil {
		m.recoveries.WithLabelValues(string(step)).Inc()
		m.outage.WithLabelValues(string(step)).Observe(outage.Seconds())
	}
}

func (m *Metrics) happened(kind noteKind) {
	if m != nil {
		m.oddities.WithLabelValues(map[noteKind]string{
			noteReset: "GuestReset", noteFalseAlarm: "FalseAlarm", noteNoSnapshot: "SnapshotProofFailed",
		}[kind]).Inc()
	}
}

func (m *Metrics) roundTrip(d time.Duration) {
	if m != nil {
		m.echoes.Observe(d.Seconds())
	}
}
