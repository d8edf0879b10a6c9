package refguest

import (
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
)

// Options are the parts and limits of a Server. Only Runner is required.
type Options struct {
	Runner Runner
	Clock  clock.Clock // default: the real clock
	Log    logr.Logger // default: silence

	// ClearDelay is how long CLEAR blocks; 0 as in generation 1608b, 500 ms before, 1 s after it.
	ClearDelay time.Duration
	// StampOffset is added to every time stamp, for tests near the wrap at 4,294,967 ms.
	StampOffset time.Duration
	// Reboot is called for REBOOT. Default: as a restart of the board looks from outside, tasks,
	// binaries and the connection are gone and the stamps begin anew.
	Reboot func()

	MaxDescription int64 // bytes of one description; default 32 MiB
	MaxBinary      int64 // bytes of one binary; default 16 MiB
	MaxStore       int64 // bytes of all binaries together; default 64 MiB
	MaxBinaries    int   // number of binaries in one upload and in the store; default 1024
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	o.MaxDescription = orDefault(o.MaxDescription, 32<<20)
	o.MaxBinary = orDefault(o.MaxBinary, 16<<20)
	o.MaxStore = orDefault(o.MaxStore, 64<<20)
	o.MaxBinaries = orDefault(o.MaxBinaries, 1024)
	return o
}

func orDefault[T int | int64](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// Verbosity levels of the log.
const (
	flow   = 2
	detail = 4
)
