package taskset

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/fetch"
	"github.com/genode-operator/genode-operator/internal/session"
)

// Downloads fetches files in the background.
type Downloads interface {
	// Get returns the file once it is there; before that fetch.ErrPending, or why it cannot be had. It never
	// blocks.
	Get(url, sha256 string) ([]byte, error)
}

// binaries is what is known of spec.binaries.
type binaries struct {
	found   map[string]session.Binary // by pkg
	pending string                    // what is still being fetched; empty: nothing
	missing string                    // what cannot be had, and why; empty: nothing
	reason  string                    // of missing
}

func (b *binaries) ready() bool { return b.pending == "" && b.missing == "" }

// shelf remembers the binaries of each TaskSet, so that a ConfigMap is read once for each generation.
type shelf struct {
	mu    sync.Mutex
	byKey map[types.NamespacedName]shelved
}

type shelved struct {
	uid        types.UID
	generation int64
	found      map[string]session.Binary
}

func newShelf() *shelf { return &shelf{byKey: map[types.NamespacedName]shelved{}} }

func (s *shelf) get(key types.NamespacedName, ts *v1alpha1.TaskSet) (map[string]session.Binary, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.byKey[key]
	return x.found, ok && x.uid == ts.UID && x.generation == ts.Generation
}

func (s *shelf) put(key types.NamespacedName, ts *v1alpha1.TaskSet, found map[string]session.Binary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byKey[key] = shelved{uid: ts.UID, generation: ts.Generation, found: found}
}

func (s *shelf) drop(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key)
}

// binaries looks for every binary that the TaskSet itself names.
func (r *Reconciler) binaries(ctx context.Context, ts *v1alpha1.TaskSet) (binaries, error) {
	key := types.NamespacedName{Namespace: ts.Namespace, Name: ts.Name}
	if found, ok := r.shelf.get(key, ts); ok {
		return binaries{found: found}, nil
	}
	out := binaries{found: map[string]session.Binary{}}
	for i, b := range ts.Spec.Binaries {
		content, err := r.binary(ctx, ts.Namespace, i, b)
		var wanting *missingError
		switch {
		case errors.Is(err, fetch.ErrPending):
			out.pending = fmt.Sprintf("spec.binaries[%d].url %s", i, b.URL)
		case errors.As(err, &wanting):
			out.missing, out.reason = err.Error(), wanting.reason
		case err != nil:
			return binaries{}, err
		default:
			out.found[b.Name] = session.Binary{Name: b.Name, Content: content, SHA256: sha256.Sum256(content)}
		}
	}
	if out.ready() {
		r.shelf.put(key, ts, out.found)
	}
	return out, nil
}

// missingError is a source that cannot be had until somebody mends it.
type missingError struct{ reason, message string }

func (e *missingError) Error() string { return e.message }

func (r *Reconciler) binary(ctx context.Context, namespace string, i int, b v1alpha1.BinarySource) ([]byte, error) {
	if b.URL != "" {
		content, err := r.downloads.Get(b.URL, b.SHA256)
		if err != nil && !errors.Is(err, fetch.ErrPending) {
			return nil, &missingError{v1alpha1.ReasonDownloadFailed, fmt.Sprintf("spec.binaries[%d].url %s: %v", i, b.URL, err)}
		}
		return content, err
	}
	var cm corev1.ConfigMap
	err := r.reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: b.ConfigMap}, &cm)
	if apierrors.IsNotFound(err) {
		return nil, &missingError{v1alpha1.ReasonNotFound, fmt.Sprintf("spec.binaries[%d].configMap %q: there is no such ConfigMap in namespace %s", i, b.ConfigMap, namespace)}
	}
	if err != nil {
		return nil, fmt.Errorf("read ConfigMap %s: %w", b.ConfigMap, err)
	}
	name := cmp.Or(b.Key, b.Name)
	if content, ok := cm.BinaryData[name]; ok {
		return content, nil
	}
	if text, ok := cm.Data[name]; ok {
		return []byte(text), nil
	}
	return nil, &missingError{v1alpha1.ReasonNotFound, fmt.Sprintf("spec.binaries[%d].key %q: ConfigMap %s has no such key", i, name, b.ConfigMap)}
}
