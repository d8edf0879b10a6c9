package results

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite", pure Go
)

// schema is version 1. The partial index is the second lock on "every variant once": even a bug
// above cannot make two final records of one variant.
const schema = `
CREATE TABLE IF NOT EXISTS records (
	campaign TEXT NOT NULL, variant INTEGER NOT NULL, attempt INTEGER NOT NULL,
	final INTEGER NOT NULL, succeeded INTEGER NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
	target TEXT NOT NULL, address TEXT NOT NULL, generation TEXT NOT NULL,
	after_recovery TEXT NOT NULL, incarnation INTEGER NOT NULL, swept TEXT NOT NULL,
	started INTEGER NOT NULL, ended INTEGER NOT NULL,
	PRIMARY KEY (campaign, variant, attempt));
CREATE UNIQUE INDEX IF NOT EXISTS one_final ON records (campaign, variant) WHERE final = 1;
CREATE TABLE IF NOT EXISTS jobs (
	campaign TEXT NOT NULL, variant INTEGER NOT NULL, attempt INTEGER NOT NULL,
	task TEXT NOT NULL, number INTEGER NOT NULL,
	start_ms INTEGER, end_ms INTEGER, outcome TEXT NOT NULL,
	PRIMARY KEY (campaign, variant, attempt, task, number));
CREATE TABLE IF NOT EXISTS campaigns (
	id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, spec_hash TEXT NOT NULL, seed INTEGER NOT NULL,
	spec TEXT NOT NULL, total TEXT NOT NULL, begun INTEGER NOT NULL);
PRAGMA user_version = 1;`

// SQLite is a Store in one file. Concurrent Puts share transactions (group commit).
type SQLite struct {
	db    *sql.DB
	path  string
	queue chan put
	done  chan struct{}
	once  sync.Once
}

type put struct {
	records []Record
	answer  chan error
}

// ErrClosed is returned by calls after Close.
var ErrClosed = errors.New("results store is closed")

// OpenSQLite opens or creates the store in the file path. Writes are durable when Put returns
// (write-ahead log, synchronous=FULL). The context bounds the opening, not the store's life.
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
	dsn := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate"}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open results store %s: %w", path, err)
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("open results store %s (is the folder there, and writable?): %w", path, err), db.Close())
	}
	s := &SQLite{db: db, path: path, queue: make(chan put), done: make(chan struct{})}
	go s.write()
	return s, nil
}

// Reference implements Store.
func (s *SQLite) Reference(campaign string) string {
	return fmt.Sprintf("sqlite:%s?campaign=%s", s.path, campaign)
}

// Put implements Store.
func (s *SQLite) Put(ctx context.Context, records ...Record) error {
	p := put{records: records, answer: make(chan error, 1)}
	select {
	case s.queue <- p:
	case <-s.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return <-p.answer // bounded: the writer always answers
}

// Close implements Store.
func (s *SQLite) Close() error {
	s.once.Do(func() { close(s.done) })
	return s.db.Close()
}
