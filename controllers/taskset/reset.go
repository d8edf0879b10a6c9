package taskset

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

const (
	// resetLimit is how long the agent may be at work on the guest, or prove its snapshot, before a reset.
	resetLimit = 30 * time.Second
	resetPause = 5 * time.Millisecond // between two looks at the agent's newest state
)

// Reset implements campaign.Fleet. It waits while the agent is at work on the guest, and until the agent has
// told of the break in the guest's memory.
func (f Fleet) Reset(ctx context.Context, target string, how campaign.Reset) error {
	ctx, cancel := context.WithTimeout(ctx, resetLimit)
	defer cancel()
	key := keyOf(target)
	before, ok := f.Agents.State(key)
	if !ok {
		return fmt.Errorf("agent of target %s is not connected", target)
	}
	err := f.command(ctx, key, how)
	for err == nil {
		state, ok := f.Agents.State(key)
		if !ok || !state.Ready || state.Incarnation != before.Incarnation {
			return nil
		}
		err = pause(ctx, resetPause)
	}
	return fmt.Errorf("reset target %s: %w", target, err)
}

// command tells the agent to reset the guest, as soon as it can.
func (f Fleet) command(ctx context.Context, key types.NamespacedName, how campaign.Reset) error {
	for {
		client, ok := f.Agents.Client(key)
		state, known := f.Agents.State(key)
		if !ok || !known {
			return errors.New("its agent is not connected")
		}
		if s := state.Snapshot; how == campaign.ResetRestore && (s.State == agentapi.SnapshotProofFailed || s.State == agentapi.SnapshotSwitchedOff) {
			return fmt.Errorf("%w: its snapshot is %s: %s", campaign.ErrCannotReset, s.State, s.Message)
		}
		action := agentapi.ActionReset
		if how == campaign.ResetRestore {
			action = agentapi.ActionRestore
		}
		err := client.Do(ctx, action)
		if !errors.Is(err, agentapi.ErrConflict) {
			return err
		}
		if ended := pause(ctx, 10*resetPause); ended != nil {
			return err
		}
	}
}

// pause waits for d; its error is ctx's.
func pause(ctx context.Context, d time.Duration) error {
	t := clock.RealClock{}.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C():
		return nil
	}
}
