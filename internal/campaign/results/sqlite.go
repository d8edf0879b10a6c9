package results

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
)

// SQLite is a Store in one file. Concurrent Puts share transactions.
type SQLite struct {
	path   string
	writer *committer

	mu     sync.Mutex
	handle *handle // nil: to be opened again
	closed bool
}

// OpenSQLite opens or creates the store in the file path; a file of an earlier version is brought up to date.
// Writes are durable when Put returns (write-ahead log, synchronous=FULL). The context bounds the opening, not
// the store's life.
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open results store %s: %w", path, err)
	}
	h, err := openHandle(ctx, absolute, true)
	if err != nil {
		return nil, explain("open results store", path, err)
	}
	s := &SQLite{path: path, handle: h}
	s.writer = newCommitter(s.transact, faultOfRow)
	return s, nil
}

// Reference implements Store.
func (s *SQLite) Reference(campaign string) string {
	return fmt.Sprintf("sqlite:%s?campaign=%s", s.path, campaign)
}

// Put implements Store.
func (s *SQLite) Put(ctx context.Context, records ...Record) error { return s.writer.put(ctx, records) }

// Close implements Store.
func (s *SQLite) Close() error {
	s.writer.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	h := s.handle
	s.handle = nil
	return h.close()
}

// open returns the handle; it opens the file anew if that has failed before.
func (s *SQLite) open(ctx context.Context) (*handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.handle != nil {
		if err := s.handle.sound(); err != nil {
			return nil, errors.Join(err, s.drop(ctx, s.handle))
		}
		return s.handle, nil
	}
	path, err := filepath.Abs(s.path)
	if err != nil {
		return nil, err
	}
	s.handle, err = openHandle(ctx, path, false)
	return s.handle, err
}

// drop closes a handle, so that the next call opens the file anew. The log is emptied into the file to which it
// belongs, wherever that is now: SQLite leaves it behind else, and would apply it to a backup that is put in the
// file's place. The caller holds mu.
func (s *SQLite) drop(ctx context.Context, h *handle) error {
	if s.handle != h {
		return nil
	}
	s.handle = nil
	_, err := h.writer.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return errors.Join(err, h.close())
}

// with calls f with the handle and says what to do about its error.
func (s *SQLite) with(ctx context.Context, what string, f func(*handle) error) error {
	h, err := s.open(ctx)
	if err == nil {
		err = f(h)
	}
	if err == nil || errors.Is(err, ErrClosed) {
		return err
	}
	if h != nil && faultOfFile(err) {
		s.mu.Lock()
		err = errors.Join(err, s.drop(ctx, h))
		s.mu.Unlock()
	}
	return explain(what, s.path, err)
}
