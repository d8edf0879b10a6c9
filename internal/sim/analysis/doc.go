// Package analysis says without running anything whether a task-set meets its deadlines: schedulability
// tests and bounds of response times for preemptive scheduling on one or several equal processors. It is
// pure.
//
// Times are whole numbers of one unit, whichever the caller likes; nothing is rounded, so a verdict at
// the border of a test is exact. Every formula names its source. The tests are sufficient (what they accept
// meets its deadlines) and, where that is said, also necessary.
package analysis
