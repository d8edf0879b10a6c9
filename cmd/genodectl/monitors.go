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

// openMonitors opens the sinks of those names; "mongo.MongoMonitor" without a place is the server on this machine,
// as it was with taskgen.
func openMonitors(ctx context.Context, names []string, out io.Writer, log logr.Logger) (*sink.Fan, error) {
	const limit = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	sinks := map[string]sink.Sink{}
	for _, name := range names {
		if name == "mongo" || name == "mongo.MongoMonitor" {
			name += ":mongodb://localhost:27017"
		}
		s, err := sink.Open(ctx, name, out)
		if err != nil {
			for _, opened := range sinks {
				_ = opened.Close() // the other error is the one to tell
			}
			return nil, fmt.Errorf("-m: %w", err)
		}
		sinks[name] = s
	}
	return sink.NewFan(log, clock.RealClock{}, sinks), nil
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
