package results

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectTimeout bounds a connect, and lockTimeout a wait for a lock, unless the DSN says otherwise.
const (
	connectTimeout = 5 * time.Second
	lockTimeout    = 5 * time.Second
)

// Postgres is a Store in a PostgreSQL database, version 12 or later. Concurrent Puts share transactions. When the
// server is gone its methods fail, and work again once it is back.
type Postgres struct {
	where  string        // the database, without a password
	writes *pgxpool.Pool // of one connection
	reads  *pgxpool.Pool
	writer *committer
	closed atomic.Bool

	// Keys of rows, which never change; for the goroutine that writes.
	campaigns map[string]int64
	places    map[place]int64
}

// OpenPostgres opens the store in the database that a URL names, for example
// postgres://user:password@host:5432/results?sslmode=verify-full. It makes its tables in the first schema of the
// search path. Errors do not tell the password. The context bounds the opening, not the store's life.
func OpenPostgres(ctx context.Context, dsn string) (*Postgres, error) {
	config, err := parsePostgres(dsn)
	if err != nil {
		return nil, fmt.Errorf("open results store: %w", err)
	}
	return connectPostgres(ctx, config)
}

func parsePostgres(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("%w; a DSN looks like postgres://user:password@host:5432/results", err)
	}
	return config, nil
}

func connectPostgres(ctx context.Context, config *pgxpool.Config) (_ *Postgres, err error) {
	s := &Postgres{where: nameOf(config.ConnConfig), campaigns: map[string]int64{}, places: map[place]int64{}}
	if s.reads, s.writes, err = pools(ctx, config); err != nil {
		return nil, s.explain("open results store", err)
	}
	if err := s.migrate(ctx); err != nil {
		s.reads.Close()
		s.writes.Close()
		return nil, s.explain("open results store", err)
	}
	s.writer = newCommitter(s.transact, faultOfPostgresRow)
	return s, nil
}

// pools makes one for what reads and one for what writes, so that slow readers do not keep records waiting.
func pools(ctx context.Context, config *pgxpool.Config) (reads, writes *pgxpool.Pool, err error) {
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	for name, value := range map[string]string{
		"application_name": "genode-operator", "synchronous_commit": "on", "lock_timeout": strconv.FormatInt(lockTimeout.Milliseconds(), 10),
	} {
		if _, given := c.RuntimeParams[name]; !given {
			c.RuntimeParams[name] = value
		}
	}
	single := config.Copy()
	single.MaxConns, single.MinConns, single.MinIdleConns = 1, 0, 0
	// What writes is tried again by who writes; what reads may have handed out records already.
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return true }
	if reads, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, nil, err
	}
	if writes, err = pgxpool.NewWithConfig(ctx, single); err != nil {
		reads.Close()
		return nil, nil, err
	}
	return reads, writes, nil
}

// nameOf says where a database is, without what is secret.
func nameOf(c *pgx.ConnConfig) string {
	u := url.URL{Scheme: "postgres", Path: "/" + c.Database}
	if c.User != "" {
		u.User = url.User(c.User)
	}
	if c.Host != "" && c.Host[0] == '/' { // the folder of a socket
		u.RawQuery = url.Values{"host": {c.Host}, "port": {strconv.Itoa(int(c.Port))}}.Encode()
	} else {
		u.Host = net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	}
	return u.String()
}

// Reference implements Store.
func (s *Postgres) Reference(campaign string) string {
	u, err := url.Parse(s.where)
	if err != nil { // nameOf made it: cannot happen
		return s.where
	}
	values := u.Query()
	values.Set("campaign", campaign)
	u.RawQuery = values.Encode()
	return u.String()
}

// Put implements Store.
func (s *Postgres) Put(ctx context.Context, records ...Record) error {
	return s.writer.put(ctx, records)
}

// Close implements Store. It waits for who reads, too.
func (s *Postgres) Close() error {
	s.closed.Store(true)
	s.writer.close()
	s.writes.Close()
	s.reads.Close()
	return nil
}

// do calls f unless the store is closed, and says what to do about its error.
func (s *Postgres) do(what string, f func() error) error {
	if s.closed.Load() {
		return ErrClosed
	}
	err := f()
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return s.explain(what, err)
}
