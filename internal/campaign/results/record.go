// Package results keeps the record of every attempt at every variant. A record is written before its
// variant counts as done, under the key (campaign, variant, attempt); writing it again changes nothing.
package results

import (
	"context"
	"errors"
	"time"
)

// ErrOtherSpec is returned by Begin when the campaign is known with another spec.
var ErrOtherSpec = errors.New("its variant numbers would mean other variants; give the campaign another name")

// ReasonNotSchedulable is the reason of final records of variants that were left out because analysis does not accept
// them. They have not failed, and Reopen leaves them as they are.
const ReasonNotSchedulable = "NotSchedulable"

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

	ImageDigest string // of the target's boot image; "" if it is not known
	HostClass   string // session class and board of the target, for example Qemu/linux-x86 or Ping
	BytesIn     int64  // that the session received during the attempt
	BytesOut    int64  // that it sent

	// Analysis is what schedulability analysis says of the variant, as JSON; "" if it was not asked for. See
	// analysis.Verdict in package campaign.
	Analysis string

	Jobs []Job
}

// Campaign is what records have in common.
type Campaign struct {
	ID       string    // UID of the TaskSet
	Name     string    // namespace/name
	SpecHash string    // SHA-256 over what decides the variants, hex; see variant.Hash
	Seed     int64     // of everything that is random
	Spec     []byte    // of the TaskSet, as JSON
	Total    uint64    // variants
	Begun    time.Time // when it was first seen
}

// Job is one job of a task. Start, End and Released are milliseconds of the target's clock; nil: not reported.
type Job struct {
	Task     string
	Number   int32 // within the task, from 1
	Start    *int64
	End      *int64
	Outcome  string // the event that ended the job
	Released *int64 // only simulated targets tell it; on others a job starts when it is released
}

// Response is the time from release, or else from start, to end in milliseconds; false when one of them is missing.
func (j Job) Response() (int64, bool) {
	from := j.Released
	if from == nil {
		from = j.Start
	}
	if from == nil || j.End == nil || *j.End < *from {
		return 0, false
	}
	return *j.End - *from, true
}

// Store keeps records. Its methods are safe for concurrent use.
type Store interface {
	// Begin makes a campaign known before its first record. Once it is, the same call changes nothing, and
	// one with another SpecHash fails with ErrOtherSpec.
	Begin(ctx context.Context, c Campaign) error
	// Campaigns lists the campaigns, oldest first.
	Campaigns(ctx context.Context) ([]Campaign, error)
	// Reopen lets the variants of a campaign that failed for good be run again: their final records are
	// final no longer, and their attempts count on. It returns how many they are.
	Reopen(ctx context.Context, campaign string) (variants int64, err error)
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
