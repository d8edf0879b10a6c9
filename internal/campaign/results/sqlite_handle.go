package results

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the driver "sqlite", pure Go
)

// errReplaced is what a store says whose file is not there any more. What was acknowledged is in the old file,
// which nobody can reach by its name, so that going on with an empty one would lose variants without a word.
var errReplaced = errors.New("the file was removed or replaced while it was in use; put it back, or start anew")

// handle is an open file. One connection writes; what reads has others.
type handle struct {
	path      string
	file      os.FileInfo // as it was opened
	writer    *sql.DB
	reader    *sql.DB
	many, one *sql.Stmt // insert rowsPerInsert rows, or one
	// Keys of rows, which never change; for the goroutine that writes.
	campaigns map[string]int64
	placeKeys map[place]int64
}

// pragmas of each connection. Times are milliseconds; the size of a cache is KiB when negative. Fewer
// checkpoints of the log make less to write, since rows that follow each other share pages.
const pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_pragma=cache_size(-4096)&_pragma=wal_autocheckpoint(4000)"

// openHandle opens the file; create says whether it may be a new one.
func openHandle(ctx context.Context, path string, create bool) (h *handle, err error) {
	mode := "rw"
	if create {
		mode = "rwc"
	}
	dsn := func(more string) string {
		return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: "mode=" + mode + "&" + pragmas + more}).String()
	}
	h = &handle{path: path, campaigns: map[string]int64{}, placeKeys: map[place]int64{}}
	if h.writer, err = sql.Open("sqlite", dsn("&_txlock=immediate")); err != nil {
		return nil, err
	}
	h.writer.SetMaxOpenConns(1)
	if h.reader, err = sql.Open("sqlite", dsn("&_pragma=query_only(1)")); err != nil {
		return nil, errors.Join(err, h.close())
	}
	if err := h.prepare(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *handle) prepare(ctx context.Context) (err error) {
	if err := migrate(ctx, h.writer); err != nil {
		return err
	}
	if h.file, err = os.Stat(h.path); err != nil {
		return err
	}
	if h.one, err = h.writer.PrepareContext(ctx, insert(1)); err != nil {
		return err
	}
	h.many, err = h.writer.PrepareContext(ctx, insert(rowsPerInsert))
	return err
}

// sound says whether the file is still the one that was opened.
func (h *handle) sound() error {
	now, err := os.Stat(h.path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(h.file, now) {
		return errReplaced
	}
	return err
}

// close may be called twice.
func (h *handle) close() error {
	if h == nil {
		return nil
	}
	var errs []error
	for _, s := range []*sql.Stmt{h.one, h.many} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	for _, db := range []*sql.DB{h.reader, h.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
