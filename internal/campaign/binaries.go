package campaign

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// gather finds the binaries of the tasks: those of the campaign, then those that come with the target.
func (w *worker) gather(ctx context.Context, plan *Plan, tasks []taskset.Task) (map[string]session.Binary, error) {
	if w.shelfOf != w.line.standing.Incarnation {
		clear(w.shelf)
		w.shelfOf = w.line.standing.Incarnation
	}
	out := make(map[string]session.Binary, 1)
	for _, t := range tasks {
		if _, found := out[t.Pkg]; found {
			continue
		}
		b, ok := plan.Binaries[t.Pkg]
		if !ok {
			b, ok = w.shelf[t.Pkg]
		}
		if !ok {
			content, err := w.engine.opts.Fleet.Binary(ctx, w.target.Name, t.Pkg)
			switch {
			case errors.Is(err, ErrNoBinary):
				return nil, fmt.Errorf("pkg %q of task %s: neither in spec.binaries of the TaskSet nor among the binaries of target %s", t.Pkg, t.Name, w.target.Name)
			case err != nil:
				return nil, fmt.Errorf("pkg %q of task %s: fetching it from target %s: %w", t.Pkg, t.Name, w.target.Name, err)
			}
			b = session.Binary{Name: t.Pkg, Content: content, SHA256: sha256.Sum256(content)}
			w.shelf[t.Pkg] = b
		}
		out[t.Pkg] = b
	}
	return out, nil
}
