package addresstarget

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
	"github.com/genode-operator/genode-operator/internal/target"
)

// Fleet tells the campaign engine about targets without a pod.
type Fleet struct {
	Watcher *Watcher
	Class   session.Class
	Cache   client.Reader
}

var _ campaign.Fleet = Fleet{}

// Standing implements campaign.Fleet. A target that came back may have been started anew by somebody.
func (f Fleet) Standing(name string) campaign.Standing {
	key := keyOf(name)
	var ts v1alpha1.TargetSession
	if err := f.Cache.Get(context.Background(), key, &ts); err != nil {
		return campaign.Standing{} // it is being deleted
	}
	return campaign.Standing{
		Ready:       withoutPeer(&ts) && unfit(&ts) == nil || f.Watcher.Answers(key),
		Incarnation: f.Watcher.Breaks(key),
		HostClass:   target.HostClass(&ts),
	}
}

// Binary implements campaign.Fleet: such a target comes with none. A simulation needs none, and gets an empty one.
func (f Fleet) Binary(ctx context.Context, name, _ string) ([]byte, error) {
	var ts v1alpha1.TargetSession
	if err := f.Cache.Get(ctx, keyOf(name), &ts); err != nil || ts.Spec.Class != v1alpha1.ClassSimSo {
		return nil, campaign.ErrNoBinary
	}
	return nil, nil
}

// Reset implements campaign.Fleet. A target without a pod has no snapshot; a taskloader that knows the word
// REBOOT is told so in a session of its own: it serves one at a time, so that none may be open.
func (f Fleet) Reset(ctx context.Context, name string, how campaign.Reset) error {
	key := keyOf(name)
	if how != campaign.ResetReboot {
		return fmt.Errorf("%w: target %s is not a virtual machine of ours and has no snapshot; use Reboot or None", campaign.ErrCannotReset, name)
	}
	var ts v1alpha1.TargetSession
	if err := f.Cache.Get(ctx, key, &ts); err != nil {
		return fmt.Errorf("read TargetSession %s: %w", name, err)
	}
	if withoutPeer(&ts) {
		return nil // nothing that could be rebooted
	}
	told := false
	err := session.With(ctx, f.Class, TargetOf(&ts), func(s session.Session) error {
		err := reboot(ctx, name, s)
		told = err == nil
		return err
	})
	if told { // what the connection's end says does not matter
		f.Watcher.Rebooted(key)
		return nil
	}
	return err
}

func reboot(ctx context.Context, name string, s session.Session) error {
	r, can := session.InspectorOf(s)
	if !can {
		return fmt.Errorf("%w: target %s: sessions of its class cannot reboot it", campaign.ErrCannotReset, name)
	}
	err := r.Reboot(ctx)
	if errors.Is(err, session.ErrUnsupported) {
		return fmt.Errorf("%w: target %s: %w", campaign.ErrCannotReset, name, err)
	}
	return err
}

// withoutPeer reports whether there is nothing at the other end of the target's sessions.
func withoutPeer(ts *v1alpha1.TargetSession) bool {
	return ts.Spec.Class == v1alpha1.ClassStdio || ts.Spec.Class == v1alpha1.ClassSimSo
}

// unfit says why a simulated target cannot be simulated as its spec says.
func unfit(ts *v1alpha1.TargetSession) error {
	if ts.Spec.Class != v1alpha1.ClassSimSo {
		return nil
	}
	return simso.Check(TargetOf(ts))
}

func keyOf(name string) types.NamespacedName {
	namespace, name, _ := strings.Cut(name, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}
