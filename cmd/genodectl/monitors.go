package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/campaign/results/sink"
)

// openMonitors opens the sinks of those names.
func openMonitors(ctx context.Context, names []string, out io.Writer, log logr.Logger) (*sink.Fan, error) {
	const limit = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	fan, err := sink.OpenFan(ctx, names, out, log, clock.RealClock{})
	if err != nil {
		return nil, fmt.Errorf("-m: %w", err)
	}
	return fan, nil
}

func listMonitors(out io.Writer) error {
	for _, k := range sink.List() {
		says := k.Doc
		if k.Old != "" {
			says += " (taskgen: " + k.Old + ")"
		}
		if err := row(out, k.Name, says); err != nil {
			return err
		}
	}
	return nil
}
