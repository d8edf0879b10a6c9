package session

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Classes are session classes by name; together they are a Class that looks at Target.Class. A sixth one
// is one more entry.
type Classes map[string]Class

var _ Class = Classes(nil)

// Available implements Class.
func (c Classes) Available(ctx context.Context, t Target) error {
	class, err := c.of(t)
	if err != nil {
		return err
	}
	return class.Available(ctx, t)
}

// Connect implements Class.
func (c Classes) Connect(ctx context.Context, t Target) (Session, error) {
	class, err := c.of(t)
	if err != nil {
		return nil, err
	}
	return class.Connect(ctx, t)
}

func (c Classes) of(t Target) (Class, error) {
	if class, there := c[t.Class]; there {
		return class, nil
	}
	return nil, fmt.Errorf("%w: target %s has class %q; use one of %v", ErrUnsupported, t.Name, t.Class, slices.Sorted(maps.Keys(c)))
}
