package targetsession

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// scope is the state of the world for one pass. observe fills it; nobody else does I/O before act.
type scope struct {
	now     time.Time
	session *v1alpha1.TargetSession // the object; report is the only writer of its status
	before  *v1alpha1.TargetSession // deep copy taken right after the read, for the status patch

	pod    *corev1.Pod   // of this epoch; nil: not made yet, or gone
	others []*corev1.Pod // of this session, of other epochs
	taken  string        // "Pod x" or "Secret y" that has our name and belongs to somebody else; empty: none

	credentials      agentapi.Credentials // of the agent; zero: none yet
	renewCredentials bool                 // they are missing, unreadable or about to expire

	want    *corev1.Pod // the pod as the spec wants it; nil when it cannot be built
	wantErr error       // why it cannot

	missing []problem // sources that are not there; looked for only when a pod has to be made
	agent   Snapshot  // newest of this pod's agent; zero while none is watched
	fleet   fleet     // sessions of the same pool; filled only when this one needs a new pod
}

// problem is something wrong with a source; the message names the field.
type problem struct {
	reason  string
	message string
}

// fleet is what the breaker looks at.
type fleet struct {
	pool       string // empty: the session belongs to none
	size       int
	unhealthy  int
	maxPercent int
}

// plan is what one pass wants to change. The zero plan changes nothing.
type plan struct {
	forget      bool          // the session goes: stop watching its agent
	credentials bool          // make new credentials
	remove      []*corev1.Pod // pods of earlier epochs, to be gone before the next one is made
	apply       *corev1.Pod   // the pod of the stored epoch

	epoch   int64  // store this new epoch; 0 keeps the one there is
	restart bool   // it replaces a pod that failed, and counts as a restart
	why     string // of the new epoch, for people

	failure failure   // why this pod needs a replacement; zero: it needs none
	hold    problem   // why the replacement has to wait; zero: it has not
	wake    time.Time // when this plan could change without new input
}

// failure says why a pod needs a replacement.
type failure struct {
	reason  string
	message string
	// gone is true when the pod is lost already, so that waiting preserves nothing.
	gone bool
}
