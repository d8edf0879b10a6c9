package targetsession

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// Metrics of all targets together. Labels are steps and reasons, which are closed sets.
var (
	recoveriesTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "genode_operator_target_recoveries_total",
		Help: "Recoveries of targets by step: Restore, Reset, Relaunch or Replace.",
	}, []string{"step"})

	// The shortest verdict that can be set is 100 ms; the longest time-out 10 minutes.
	silentSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "genode_operator_target_freeze_detection_seconds",
		Help:    "Time from a guest's last sign of life to the verdict, by verdict.",
		Buckets: prometheus.ExponentialBuckets(0.05, 2, 14),
	}, []string{"verdict"})

	// A restore takes some 50 ms, a boot under emulation minutes.
	outageSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "genode_operator_target_outage_seconds",
		Help:    "Time from the verdict to the guest's next answered echo, by the step that brought it back.",
		Buckets: prometheus.ExponentialBuckets(0.025, 2, 15),
	}, []string{"step"})
)

func init() { metrics.Registry.MustRegister(recoveriesTotal, silentSeconds, outageSeconds) }

// measure counts what has been stored by this pass. Several recoveries of one kind between two passes
// are all counted; times are known of the newest one only.
func measure(before, after *v1alpha1.TargetSessionStatus) {
	old, now := v1alpha1.RecoveryCounts{}, v1alpha1.RecoveryCounts{}
	if before.Recoveries != nil {
		old = *before.Recoveries
	}
	if after.Recoveries != nil {
		now = *after.Recoveries
	}
	for step, n := range map[v1alpha1.RecoveryStep]int64{
		v1alpha1.StepRestore: now.Restore - old.Restore, v1alpha1.StepReset: now.Reset - old.Reset,
		v1alpha1.StepRelaunch: now.Relaunch - old.Relaunch, v1alpha1.StepReplace: now.Replace - old.Replace,
	} {
		if n > 0 {
			recoveriesTotal.WithLabelValues(string(step)).Add(float64(n))
		}
	}
	last := after.LastRecovery
	if last != nil && last.SilentMilliseconds != nil && !sameRecovery(before.LastRecovery, last) {
		silentSeconds.WithLabelValues(last.Reason).Observe(float64(*last.SilentMilliseconds) / 1000)
	}
	if recovered(before.LastRecovery, last) {
		outageSeconds.WithLabelValues(string(last.Step)).Observe(float64(*last.OutageMilliseconds) / 1000)
	}
}
