// Package statistics sums up simulated jobs while they end: response times by task, and over a sweep of systems the
// share that each scheduler accepts.
//
//	sim.Run ──records──► Collector ──Times of each task──► minimum, mean, maximum, deviation, percentiles
//	   ▲                                                           │
//	Sweep, in parallel ──outcomes, in order──► Acceptance ◄────────┘
//
// Sums are whole numbers, so that the order of jobs, and the number of workers, do not show in any result.
package statistics
