package taskset

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/target"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// Agents is what the campaign engine needs of the connections to the agents.
type Agents interface {
	// State is the newest state of a target; false while there is none.
	State(types.NamespacedName) (agentapi.State, bool)
	// Client talks to a target's agent; false while there is none.
	Client(types.NamespacedName) (*agentapi.Client, bool)
}

// Fleet tells the campaign engine about targets of class Qemu: from their agents, and from the cache.
type Fleet struct {
	Agents Agents
	Cache  client.Reader
}

var _ campaign.Fleet = Fleet{}

// Standing implements campaign.Fleet. An incarnation is unique over the pods of a target.
func (f Fleet) Standing(name string) campaign.Standing {
	key := keyOf(name)
	state, ok := f.Agents.State(key)
	if !ok {
		return campaign.Standing{}
	}
	var ts v1alpha1.TargetSession
	if err := f.Cache.Get(context.Background(), key, &ts); err != nil {
		return campaign.Standing{} // it is being deleted
	}
	out := campaign.Standing{
		Ready: state.Ready, Incarnation: ts.Status.Epoch<<32 | state.Incarnation, Managed: true,
		HostClass: target.HostClass(&ts), ImageDigest: f.imageDigest(&ts),
	}
	switch last := state.LastRecovery; {
	case last != nil && last.Done:
		out.LastRecovery = last.Step
	case ts.Status.LastRecovery != nil:
		out.LastRecovery = string(ts.Status.LastRecovery.Step)
	}
	return out
}

// imageDigest of what a target boots; empty when it is not known.
func (f Fleet) imageDigest(ts *v1alpha1.TargetSession) string {
	var pod corev1.Pod
	key := types.NamespacedName{Namespace: ts.Namespace, Name: ts.Status.PodName}
	if err := f.Cache.Get(context.Background(), key, &pod); err != nil {
		return "" // it is being deleted
	}
	return target.ImageDigest(ts, &pod)
}

// Binary implements campaign.Fleet.
func (f Fleet) Binary(ctx context.Context, target, pkg string) ([]byte, error) {
	c, ok := f.Agents.Client(keyOf(target))
	if !ok {
		return nil, fmt.Errorf("agent of target %s is not connected", target)
	}
	b, err := c.Binary(ctx, pkg)
	if errors.Is(err, agentapi.ErrNotFound) {
		return nil, campaign.ErrNoBinary
	}
	return b, err
}

func keyOf(target string) types.NamespacedName {
	namespace, name, _ := strings.Cut(target, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}
