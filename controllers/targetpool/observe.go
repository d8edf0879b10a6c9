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
	s := &scope{now: r.clock.Now(), pool: &v1alpha1.TargetPool{}, sessions: map[string]*v1alpha1.TargetSession{}, taken: map[string]*v1alpha1.TargetSession{}}
	if err := r.client.Get(ctx, name, s.pool); err != nil {
		if apierrors.IsNotFound(err) {
			r.discovery.forget(name)
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
		if ts := &list.Items[i]; metav1.IsControlledBy(ts, s.pool) { // those of other owners are left alone
			s.sessions[ts.Name] = ts
		}
	}
	s.scan = r.discovery.look(s.pool)
	switch {
	case s.scan == nil:
		s.wanted = ordinals(s.pool)
	case s.scan.err == nil:
		s.wanted = addressed(s)
	}
	return s, r.observeMissing(ctx, s)
}

// observeMissing asks the API server itself for sessions that seem to be missing: the cache may be
// behind, and names may be taken. No more of them are asked for than one pass makes.
func (r *Reconciler) observeMissing(ctx context.Context, s *scope) error {
	asked := 0
	for _, m := range s.wanted {
		if s.sessions[m.name] != nil {
			continue
		}
		if asked == batch {
			return nil
		}
		var ts v1alpha1.TargetSession
		err := r.reader.Get(ctx, types.NamespacedName{Namespace: s.pool.Namespace, Name: m.name}, &ts)
		switch {
		case apierrors.IsNotFound(err):
			asked++
		case err != nil:
			return fmt.Errorf("read TargetSession %s: %w", m.name, err)
		case metav1.IsControlledBy(&ts, s.pool):
			s.sessions[m.name] = &ts
		default:
			s.taken[m.name] = &ts
		}
	}
	return nil
}

// ordinals are the members of a pool of replicas.
func ordinals(pool *v1alpha1.TargetPool) []member {
	replicas := int32(1)
	if pool.Spec.Replicas != nil {
		replicas = *pool.Spec.Replicas
	}
	all := make([]member, replicas)
	for ordinal := range all {
		all[ordinal].name = sessionName(pool.Name, ordinal)
	}
	return all
}

func sessionName(pool string, ordinal int) string { return pool + "-" + strconv.Itoa(ordinal) }

// ordinalOf is the reverse of sessionName; -1 for other names.
func ordinalOf(pool, session string) int {
	text, ok := strings.CutPrefix(session, pool+"-")
	ordinal, err := strconv.Atoi(text)
	if !ok || err != nil || sessionName(pool, ordinal) != session {
		return -1
	}
	return ordinal
}

func templateHash(t *v1alpha1.TargetSessionTemplate) (string, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("hash spec.template: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8]), nil
}
