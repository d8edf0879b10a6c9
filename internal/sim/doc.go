// Package sim simulates preemptive real-time scheduling of a task-set on one or several processors. It is
// pure: no I/O and no clock, and the same system and seed give the same run, bit for bit.
//
//	releases, deadlines ──► mailbox of a processor ──► Scheduler.Activated, Ended
//	                                 │ one decision for each message
//	                                 ▼
//	                          Scheduler.Decide ──► jobs on processors ──► Observer: records of jobs
//
// Time is whole nanoseconds. Events of one instant happen in the order in which they were put into the
// calendar. A processor that gets a message saves the context of its job, handles its messages one at a
// time, asks the scheduler once for each activation and end, and loads the job that was chosen. With
// overheads each of these steps takes time; without them all of it happens in one instant.
//
// Memory grows with the tasks and their unfinished jobs, not with the time that is simulated: a job is
// handed to the Observer when it ends, and then forgotten.
package sim
