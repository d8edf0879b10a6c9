package local

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/session"
)

// fleet tells the engine about targets at addresses.
type fleet struct{ *runner }

var _ campaign.Fleet = fleet{}

// Standing implements campaign.Fleet. What answered last is ready: a session that fails says more than any check.
func (f fleet) Standing(string) campaign.Standing {
	return campaign.Standing{Ready: true, HostClass: f.options.ClassName}
}

// Binary implements campaign.Fleet: targets at addresses come with none.
func (f fleet) Binary(context.Context, string, string) ([]byte, error) {
	return nil, campaign.ErrNoBinary
}

// Reset implements campaign.Fleet: a target whose generation knows the word is told to reboot, in a session of its
// own.
func (f fleet) Reset(ctx context.Context, name string, how campaign.Reset) error {
	if how != campaign.ResetReboot {
		return fmt.Errorf("%w: target %s has no snapshot of ours; use Reboot or None", campaign.ErrCannotReset, name)
	}
	a, err := netip.ParseAddr(name)
	if err != nil {
		return nil // a dry run: nothing that could be rebooted
	}
	told := false
	err = session.With(ctx, f.options.Class, f.target(a), func(s session.Session) error {
		inspector, can := s.(session.Inspector)
		if !can {
			return fmt.Errorf("%w: sessions of class %s cannot reboot target %s", campaign.ErrCannotReset, f.options.ClassName, name)
		}
		err := inspector.Reboot(ctx)
		told = err == nil
		if errors.Is(err, session.ErrUnsupported) {
			return fmt.Errorf("%w: target %s: %w", campaign.ErrCannotReset, name, err)
		}
		return err
	})
	if told { // how the connection ends does not matter
		return nil
	}
	return err
}
