package taskset

import (
	"cmp"
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
)

// Fleets are the fleets of the session classes; together they are a campaign.Fleet that looks at the class
// of a target.
type Fleets struct {
	ByClass map[v1alpha1.SessionClass]campaign.Fleet
	Cache   client.Reader
}

var _ campaign.Fleet = Fleets{}

// Standing implements campaign.Fleet.
func (f Fleets) Standing(target string) campaign.Standing {
	fleet, err := f.of(context.Background(), target)
	if err != nil {
		return campaign.Standing{} // it is being deleted
	}
	return fleet.Standing(target)
}

// Binary implements campaign.Fleet.
func (f Fleets) Binary(ctx context.Context, target, pkg string) ([]byte, error) {
	fleet, err := f.of(ctx, target)
	if err != nil {
		return nil, err
	}
	return fleet.Binary(ctx, target, pkg)
}

// Reset implements campaign.Fleet.
func (f Fleets) Reset(ctx context.Context, target string, how campaign.Reset) error {
	fleet, err := f.of(ctx, target)
	if err != nil {
		return err
	}
	return fleet.Reset(ctx, target, how)
}

func (f Fleets) of(ctx context.Context, target string) (campaign.Fleet, error) {
	var ts v1alpha1.TargetSession
	if err := f.Cache.Get(ctx, keyOf(target), &ts); err != nil {
		return nil, fmt.Errorf("read TargetSession %s: %w", target, err)
	}
	class := cmp.Or(ts.Spec.Class, v1alpha1.ClassQemu)
	if fleet := f.ByClass[class]; fleet != nil {
		return fleet, nil
	}
	return nil, fmt.Errorf("target %s: nobody knows class %s", target, class)
}
