package results

import (
	"time"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// NoticeKind says what a Notice is about.
type NoticeKind string

// Kinds of notices. Every Started is followed by any number of Observed and one Finished or Stopped.
const (
	NoticeStarted  NoticeKind = "Started"  // the variant was started on the target
	NoticeObserved NoticeKind = "Observed" // events have come
	NoticeFinished NoticeKind = "Finished" // the attempt succeeded; its record is in the store
	NoticeStopped  NoticeKind = "Stopped"  // the attempt failed, or was ended by somebody
)

// Notice tells an observer what happens to an attempt, as it happens. Observers must not change it.
type Notice struct {
	Kind     NoticeKind
	Time     time.Time
	Campaign string // ID
	Name     string // of the campaign, namespace/name
	Variant  uint64
	Attempt  int32
	Target   string
	Address  string
	Tasks    []taskset.Task
	Events   []session.Event // of NoticeObserved
	Record   *Record         // of NoticeFinished, and of NoticeStopped if the attempt was recorded
}
