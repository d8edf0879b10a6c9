package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// storePath is where results are kept: $XDG_STATE_HOME/genodectl/results.db, or below ~/.local/state.
func storePath() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find a place for the results: %w; name one with --store", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "genodectl", "results.db"), nil
}

// openStore opens the store of a DSN; an empty one is the user's own.
func openStore(ctx context.Context, dsn string) (results.Store, error) {
	if dsn == "" {
		path, err := storePath()
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("make a folder for the results: %w", err)
		}
		dsn = path
	}
	return results.Open(ctx, dsn)
}

// dryStore is the store of a dry run: a folder that is gone afterwards.
const dryStore = "(dry run)"

// withStore opens a store for as long as use runs.
func withStore(ctx context.Context, dsn string, use func(results.Store) error) (err error) {
	if dsn == dryStore {
		folder, err := os.MkdirTemp("", "genodectl-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		dsn = filepath.Join(folder, "results.db")
	}
	store, err := openStore(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return use(store)
}

// find is the newest campaign of that name.
func find(ctx context.Context, store results.Store, name string) (results.Campaign, error) {
	all, err := store.Campaigns(ctx)
	if err != nil {
		return results.Campaign{}, err
	}
	var found *results.Campaign
	var known []string
	for i := range all {
		if all[i].Name == name || all[i].ID == name {
			found = &all[i]
		}
		known = append(known, all[i].Name)
	}
	switch {
	case found != nil:
		return *found, nil
	case len(known) == 0:
		return results.Campaign{}, fmt.Errorf("there is no campaign %q: the store is empty; run one with genodectl run", name)
	}
	const most = 10
	return results.Campaign{}, fmt.Errorf("there is no campaign %q in the store; the newest ones are %s", name, strings.Join(known[max(0, len(known)-most):], ", "))
}

// freshID is an ID for a campaign that shall not go on with the records of an earlier one of its name.
func freshID(ctx context.Context, store results.Store, name string) (string, error) {
	all, err := store.Campaigns(ctx)
	if err != nil {
		return "", err
	}
	taken := 0
	for _, c := range all {
		if c.Name == name {
			taken++
		}
	}
	if taken == 0 {
		return name, nil
	}
	return fmt.Sprintf("%s#%d", name, taken+1), nil
}
