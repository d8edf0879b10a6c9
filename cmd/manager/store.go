package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/campaign/results/sink"
)

// openTimeout bounds the opening of the results store and of the sinks. A manager that is out of it ends, and is
// started again by Kubernetes.
const openTimeout = 30 * time.Second

// openStore opens the results store that the flags name.
func openStore(ctx context.Context, o options) (results.Store, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if o.resultsDSNFile != "" {
		store, err := results.OpenPostgresFile(ctx, o.resultsDSNFile)
		if err != nil {
			return nil, fmt.Errorf("--results-dsn-file=%s: %w", o.resultsDSNFile, err)
		}
		return store, nil
	}
	if isPostgres(o.results) && hasPassword(o.results) {
		return nil, errors.New("--results: everybody who may read the Deployment or list processes sees the password in it; put the whole URL into a file, and name that with --results-dsn-file")
	}
	store, err := results.Open(ctx, o.results)
	if err != nil {
		return nil, fmt.Errorf("--results: %w", err)
	}
	return store, nil
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// hasPassword errs on the safe side for what is no URL.
func hasPassword(dsn string) bool {
	u, err := url.Parse(dsn)
	if err != nil {
		return true
	}
	_, given := u.User.Password()
	return given || u.Query().Has("password")
}

// openSinks opens what --sink names.
func openSinks(ctx context.Context, names []string, log logr.Logger) (*sink.Fan, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	for _, name := range names {
		if _, where, _ := strings.Cut(name, ":"); strings.Contains(where, "://") && hasPassword(where) || strings.HasPrefix(where, "//") && hasPassword(name) {
			return nil, errors.New("--sink: everybody who may read the Deployment or list processes sees the password in it; put the URL into a file, and name that after an @, for example --sink=mongo:@/etc/mongo/url")
		}
	}
	fan, err := sink.OpenFan(ctx, names, os.Stdout, log, clock.RealClock{})
	if err != nil {
		return nil, fmt.Errorf("--sink: %w", err)
	}
	return fan, nil
}
