package results

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// longestDSN bounds the file that a DSN is read from, in bytes.
const longestDSN = 16 << 10

// OpenPostgresFile opens the store in the database whose URL, as OpenPostgres takes it, is the content of a file: a
// key of a mounted Secret, for example. The file is read again for each new connection, of which it then gives user
// and password. So they may be changed while the store is open. Another database is refused until the store
// is opened anew. Errors do not tell what is in the file.
func OpenPostgresFile(ctx context.Context, path string) (*Postgres, error) {
	config, err := readPostgres(path)
	if err != nil {
		return nil, fmt.Errorf("open results store: %w", err)
	}
	where := nameOf(config.ConnConfig)
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		newest, err := readPostgres(path)
		if err != nil {
			return err
		}
		c.User, c.Password = newest.ConnConfig.User, newest.ConnConfig.Password
		newest.ConnConfig.User = config.ConnConfig.User
		if now := nameOf(newest.ConnConfig); now != where {
			return fmt.Errorf("%s names %s now; results go to one database as long as the program runs: start it anew", path, now)
		}
		return nil
	}
	return connectPostgres(ctx, config)
}

// readPostgres reads a DSN from a file.
func readPostgres(path string) (*pgxpool.Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longestDSN+1))
	if err != nil {
		return nil, err
	}
	dsn := strings.TrimSpace(string(text))
	switch {
	case dsn == "":
		return nil, fmt.Errorf("%s is empty; it has to hold a DSN, for example postgres://user:password@host:5432/results", path)
	case len(text) > longestDSN:
		return nil, fmt.Errorf("%s has more than %d bytes: it is no DSN", path, longestDSN)
	case !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://"):
		return nil, fmt.Errorf("%s holds no DSN of PostgreSQL; one looks like postgres://user:password@host:5432/results", path)
	}
	config, err := parsePostgres(dsn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}
