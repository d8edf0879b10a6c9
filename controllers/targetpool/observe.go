package targetpool

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// observe gathers everything that decide needs; nil when the pool is gone.
func (r *Reconciler) observe(ctx context.Context, name types.NamespacedName) (*scope, error) {
	s := &scope{now: r.clock.Now(), pool: &v1alpha1.TargetPool{}, sessions: map[int]*v1alpha1.TargetSession{}, taken: map[int]*v1alpha1.TargetSession{}}
	if err := r.client.Get(ctx, name, s.pool); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read the TargetPool: %w", err)
	}
	s.before = s.pool.DeepCopy()
	var err error
	if s.hash, err = templateHash(&s.pool.Spec.Template); err != nil {
		return nil, err
	}
	var list v1alpha1.TargetSessionList
	if err := r.client.List(ctx, &list, client.InNamespace(name.Namespace), client.MatchingLabels{v1alpha1.LabelPool: name.Name}); err != nil {
		return nil, fmt.Errorf("list the TargetSessions of TargetPool %s: %w", name.Name, err)
	}
	for i := range list.Items {
		s.sort(&list.Items[i])
	}
	return s, r.observeMissing(ctx, s)
}

// sort files a session that carries the pool's label; those of other owners are left alone.
func (s *scope) sort(ts *v1alpha1.TargetSession) {
	if !metav1.IsControlledBy(ts, s.pool) {
		return
	}
	if ordinal, ok := ordinalOf(s.pool.Name, ts.Name); ok {
		s.sessions[ordinal] = ts
	} else {
		s.strays = append(s.strays, ts)
	}
}

// observeMissing asks the API server itself for sessions that seem to be missing: the cache may be
// behind, and names may be taken. No more of them are asked for than one pass makes.
func (r *Reconciler) observeMissing(ctx context.Context, s *scope) error {
	asked := 0
	for ordinal := 0; ordinal < s.replicas() && asked < batch; ordinal++ {
		if s.sessions[ordinal] != nil {
			continue
		}
		var ts v1alpha1.TargetSession
		key := types.NamespacedName{Namespace: s.pool.Namespace, Name: sessionName(s.pool.Name, ordinal)}
		err := r.reader.Get(ctx, key, &ts)
		switch {
		case apierrors.IsNotFound(err):
			asked++
		case err != nil:
			return fmt.Errorf("read TargetSession %s: %w", key.Name, err)
		case metav1.IsControlledBy(&ts, s.pool):
			s.sessions[ordinal] = &ts
		default:
			s.taken[ordinal] = &ts
		}
	}
	return nil
}

func sessionName(pool string, ordinal int) string { return pool + "-" + strconv.Itoa(ordinal) }

// ordinalOf is the reverse of sessionName.
func ordinalOf(pool, session string) (int, bool) {
	text, ok := strings.CutPrefix(session, pool+"-")
	if !ok {
		return 0, false
	}
	ordinal, err := strconv.Atoi(text)
	return ordinal, err == nil && ordinal >= 0 && sessionName(pool, ordinal) == session
}

func templateHash(t *v1alpha1.TargetSessionTemplate) (string, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("hash spec.template: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8]), nil
}
