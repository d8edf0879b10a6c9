//go:build linux

// Package process runs the reference target's jobs as Linux processes: the uploaded ELF binary, the
// config as a file named by its first argument, output line by line to the log.
//
// What a task-set says about a job is kept as well as Linux allows:
//
//	quota     a memory cgroup of its own where Cgroup names a cgroup v2 folder that we may write, and the
//	          kernel's OOM killer is OUT_OF_QUOTA; otherwise RLIMIT_AS, and
//	          exit value 22 of a task that gets no memory is OUT_OF_QUOTA. 0 is no limit. In a cgroup the
//	          kernel's own memory counts too, so a quota below MinQuota is raised to it.
//	priority  SCHED_FIFO where RealTime is set and permitted. Genode's 0 (highest) to 127 (lowest)
//	          become 97 to 2, so two neighbours may share a level; above 127 counts as 0.
package process
