package gate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestAGateHoldsUntilItOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		if err := g.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		g.Shut()
		g.Shut()
		passed := make(chan error, 1)
		go func() { passed <- g.Pass(context.Background()) }()
		synctest.Wait()
		select {
		case err := <-passed:
			t.Fatalf("passed while it was shut: %v", err)
		default:
		}
		g.Open()
		g.Open()
		if err := <-passed; err != nil {
			t.Error(err)
		}
	})
}

func TestWhoGivesUpIsLetGo(t *testing.T) {
	var g Gate
	g.Shut()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Pass(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	g.Open()
	if err := g.Pass(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("an open gate lets a cancelled one through: %v", err)
	}
}
