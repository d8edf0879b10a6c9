// Package taskset is what is run: tasks in the terms of Genode's taskloader. It is pure.
package taskset

// Task is one task of a task-set, resolved: nothing in it varies any more. Times are milliseconds.
type Task struct {
	ID            int    // position in the task-set, the task-id of the target's events
	Name          string // the user's name of the task; not sent
	Pkg           string // name of the binary, 1 to 15 characters
	Quota         uint64 // memory, bytes
	Priority      uint32
	Period        uint32 // 0: released once, at once
	CriticalTime  uint32 // 0: no limit
	ExecutionTime uint32
	Deadline      uint32
	Offset        uint32
	NumberOfJobs  uint32
	Caps          uint32 // generation 1802 only, as are the next two
	Cores         uint32
	CoreOffset    uint32
	Config        Config // free tree, handed to the task as XML
}

// Config is a tree of configuration: Text is the content of a leaf, Children of an inner node.
type Config []ConfigNode

// ConfigNode is one element of a Config.
type ConfigNode struct {
	Name     string
	Text     string // a leaf's content; empty when there are children
	Children Config
}
