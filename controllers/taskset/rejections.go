package taskset

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/genode-operator/genode-operator/internal/campaign"
)

// judgeLimit is how long the variants of a campaign are analysed before it begins; those that are not reached are
// skipped one by one.
const judgeLimit = 3 * time.Second

// rejections remembers what analysis says of each campaign, which never changes.
type rejections struct {
	mu    sync.Mutex
	byUID map[types.UID]string
}

func newRejections() *rejections { return &rejections{byUID: map[types.UID]string{}} }

// of is campaign.Plan.Rejection, asked once.
func (r *rejections) of(ctx context.Context, uid types.UID, p *campaign.Plan) string {
	if p.Analysis == nil || p.Analysis.OnFail != campaign.FailReject {
		return ""
	}
	r.mu.Lock()
	why, known := r.byUID[uid]
	r.mu.Unlock()
	if known {
		return why
	}
	ctx, cancel := context.WithTimeout(ctx, judgeLimit)
	defer cancel()
	why = p.Rejection(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byUID[uid] = why
	return why
}

func (r *rejections) drop(uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byUID, uid)
}
