package results

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Open opens the store that a DSN names: postgres://… or postgresql://… for a PostgreSQL database, sqlite:PATH
// or a path alone for a SQLite file. Errors do not tell the password of a DSN.
func Open(ctx context.Context, dsn string) (Store, error) {
	scheme, rest, found := strings.Cut(dsn, ":")
	switch {
	case dsn == "":
		return nil, errors.New("open results store: there is no DSN; name a file, or a database as postgres://user:password@host:5432/results")
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return opened(OpenPostgres(ctx, dsn))
	case found && scheme == "sqlite":
		return opened(OpenSQLite(ctx, strings.TrimPrefix(rest, "//")))
	case found && strings.HasPrefix(rest, "//"):
		return nil, fmt.Errorf("open results store: %s:// is no scheme of a store; use postgres://… or the path of a SQLite file", scheme)
	}
	return opened(OpenSQLite(ctx, dsn))
}

// opened keeps a nil pointer from becoming an interface that is not nil.
func opened[S Store](s S, err error) (Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}
