// Package refguest is the reference target: a taskloader server that speaks the protocol of
// generation 1608b on any Go platform, so that everything above it can be run without a Genode build.
//
//	TCP ──► conn (words, bounds) ──► loader (tasks, binaries, event log) ──► worker (one per task)
//	 ◄── profile frames ◄────────────────────┘                                   │
//	                                                             Runner (processes, or nothing)
//
// The core knows no processes. It starts jobs through a Runner: process.Runner runs real ELF binaries,
// InstantRunner only lets time pass, for tests and benchmarks.
//
// It is a faithful server with better manners than the original: sizes are bounded, garbage is logged
// and survived, a client that does not read blocks nobody, and a task that cannot start says
// NOT_SCHEDULED at once. Where the two differ, the comment at the place says so.
package refguest
