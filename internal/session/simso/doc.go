// Package simso is the session class of the in-process scheduling simulation: a target without a machine. Each
// variant that is started is simulated at once, and told in the events of a taskloader:
//
//	task-set ──► System: period, offset, deadline, execution time … ──► package sim
//	                                                                       │
//	START, EXIT, EXIT_CRITICAL, EXIT_PERIOD, JOBS_DONE in milliseconds ◄───┘
//
// The clock of a simulated target begins anew with each variant; its stamps are cut to milliseconds, as those
// of other targets are. START is the first execution of a job, and both START and the end of a job say when it
// was released. The same variant, settings and seed give the same events.
//
// Simulations of many sessions share the processors of this machine; see Options.Workers.
package simso
