package simfile

import "github.com/genode-operator/genode-operator/internal/sim"

// File is what a file says: a system, and how it is scheduled.
type File struct {
	// Name of the system; may be empty.
	Name string
	// Scheduler is its name; empty: the file says nothing about it.
	Scheduler string
	// Options of the scheduler, as sched.NewWith takes them.
	Options map[string]string
	// System has the duration 0 if the file says nothing about it.
	System sim.System
	// Cycles of a millisecond in a case whose times are cycles; 0 if they are nanoseconds.
	Cycles int64
	// CPUs are the numbers that the processors have in records; 1, 2, ... without them.
	CPUs []int64
}

// CPU is the number of the processor with that index in records.
func (f *File) CPU(index int) int64 {
	if index < len(f.CPUs) {
		return f.CPUs[index]
	}
	return int64(index) + 1
}
