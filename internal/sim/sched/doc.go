// Package sched is the schedulers of the simulator, a small file for each family. It is pure.
//
// A scheduler is found by its name (New), also by the name that it has in SimSo. Whoever needs another one
// implements sim.Scheduler and registers it.
package sched
