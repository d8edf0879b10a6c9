// Package faketarget is a taskloader for tests that can be told to misbehave. It speaks all four
// generations of the protocol, each with its quirks, and has the faults that real targets have: it
// hangs, drops connections, refuses them, tears and glues frames, sends garbage, and is full of
// events that nobody asked for.
//
//	TCP ──► reader (words, steps, faults) ──► loader (tasks, binaries, event log, agenda)
//	 ◄── writer (gate, bursts, pieces) ◄────────────┘
//
// A test says where a Fault strikes: at the n-th time that the target passes a Step, or as soon as so
// many jobs run. Everything that the target heard and said is in its Log.
//
// No process runs. A job takes the milliseconds that the test wants and is released and ended by an
// agenda whose stamps are computed, not measured: a job of 10 ms has stamps that are exactly 10 apart,
// however busy the machine is. Jobs of 0 ms end before START is handled to its end.
//
// Where the original would crash the fake says and does nothing more until Reboot, as its clients see
// it: the connection stays open and silent. Such a death is in the Log.
//
// For a well-behaved target that runs real binaries see package refguest.
package faketarget
