package localnode

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	backoffStart = time.Second      // a kubelet: 10 s
	backoffMax   = 30 * time.Second // a kubelet: 5 min
	backoffReset = time.Minute      // a run this long is a healthy one
)

// backoff delays the restarts of one container: none, 1 s, 2 s, 4 s, ... 30 s.
type backoff struct {
	delay time.Duration // before the restart after the next
}

// next returns the delay before the next start, after a run of the given length.
func (b *backoff) next(ran time.Duration) time.Duration {
	if ran >= backoffReset {
		b.delay = 0
	}
	now := b.delay
	b.delay = min(max(2*b.delay, backoffStart), backoffMax)
	return now
}

// restarts says whether a container that ended with a code is started again. Init containers run
// until they succeed, unless the policy is Never.
func restarts(policy corev1.RestartPolicy, code int32, init bool) bool {
	switch policy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return code != 0
	default:
		return !init || code != 0
	}
}
