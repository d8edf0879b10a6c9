// Package health says what is wrong with a guest, if anything. It is pure: an Observation and the
// Settings go in, a Verdict comes out, and time is a field of the Observation.
//
// Judge asks a chain of small rules; the first that applies has the last word:
//
//	QEMUExited      no process: nothing else is worth asking
//	Stopped         QEMU itself stopped the guest: panic, I/O error, internal error
//	Paused          stopped on purpose
//	RebootLoop      the guest resets itself again and again
//	BootOverdue     started long ago, and not up yet
//	Booting         started, and not up yet
//	SilentToPing    was up, and answers no longer
//	Alive           answers
//	Unknown         nothing can be said
//
// A slow guest is not a frozen one. Time in which the guest had no chance to answer is not counted as
// silence: the time that QEMU waited for a CPU, and the time by which the watcher itself was late. What
// goes beyond the usual share of both is discounted, up to a bound, so that a guest that never gets
// anything done is found all the same.
package health
