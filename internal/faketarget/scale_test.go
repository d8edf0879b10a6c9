package faketarget

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/genode-operator/genode-operator/internal/session/framing"
)

// TestAQuietTargetForgets lets one do the same thing often.
func TestAQuietTargetForgets(t *testing.T) {
	target := start(t, Options{Quiet: true})
	c := dial(t, target)
	for range 100 {
		c.say(framing.Clear, framing.Stop)
	}
	await(t, target, "STOP", 100)
	if n := target.Count("CLEAR"); n != 100 {
		t.Errorf("%d CLEAR are counted", n)
	}
	if len(target.Log()) != 0 || len(target.Received()) != 0 || len(target.Events()) != 0 {
		t.Error("it remembers what it heard")
	}
}

// BenchmarkIdleTargets says what an idle fake costs, for those who need a thousand of them.
func BenchmarkIdleTargets(b *testing.B) {
	used := func() (bytes uint64, goroutines int) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse, runtime.NumGoroutine()
	}
	for b.Loop() {
		const n = 1000
		bytes, goroutines := used()
		targets := make([]*Target, n)
		for i := range targets {
			var err error
			if targets[i], err = Start(Options{Quiet: true, Address: fmt.Sprintf("127.0.%d.%d:0", i/250+1, i%250+1)}); err != nil {
				b.Fatal(err)
			}
		}
		bytesNow, goroutinesNow := used()
		b.ReportMetric(float64(bytesNow-bytes)/n, "B/target")
		b.ReportMetric(float64(goroutinesNow-goroutines)/n, "goroutines/target")
		for _, target := range targets {
			target.Close()
		}
	}
}
