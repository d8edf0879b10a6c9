// Package results keeps the record of every attempt at every variant. A record is written before its
// variant counts as done, under the key (campaign, variant, attempt); writing it again changes nothing.
package results

import (
	"context"
	"time"
)

// Record is the result of one attempt at one variant.
type Record struct {
	Campaign  string // UID of the TaskSet
	Variant   uint64
	Attempt   int32 // from 1
	Final     bool  // no further attempt follows; at most one record of a variant is final
	Succeeded bool  // complete by the completion rule; only a final record succeeds
	Reason    string
	Message   string

	Target        string // TargetSession
	Address       string // host:port that the session went to
	Generation    string // of the taskloader
	AfterRecovery string // the step that last brought the target back before this attempt; "" if none
	Incarnation   int64  // of the guest: counts the breaks in its memory
	Values        string // what the sweeps chose, as a JSON object {"task.attribute": value}
	Started       time.Time
	Ended         time.Time

	Jobs []Job
}

// Job is one job of a task. Start and End are milliseconds of the target's clock; nil: not reported.
type Job struct {
	Task    string
	Number  int32 // within the task, from 1
	Start   *int64
	End     *int64
	Outcome string // the event that ended the job
}

// Response is the time from start to end in milliseconds; false when one of them is missing.
func (j Job) Response() (int64, bool) {
	if j.Start == nil || j.End == nil || *j.End < *j.Start {
		return 0, false
	}
	return *j.End - *j.Start, true
}

// Store keeps records. Its methods are safe for concurrent use.
type Store interface {
	// Put writes records durably; those that are there already stay as they are.
	Put(ctx context.Context, records ...Record) error
	// Each calls f with every record of a campaign in the order they were written, with jobs, until f
	// returns an error.
	Each(ctx context.Context, campaign string, f func(Record) error) error
	// Reference tells a person where the records are.
	Reference(campaign string) string
	// Close waits for what is being written.
	Close() error
}
