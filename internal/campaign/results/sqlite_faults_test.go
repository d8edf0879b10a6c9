package results

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pragma sets one of the connection that writes.
func pragma(t *testing.T, s *SQLite, what string) {
	t.Helper()
	if _, err := s.handle.writer.ExecContext(t.Context(), "PRAGMA "+what); err != nil {
		t.Fatal(err)
	}
}

// fails checks that a record cannot be written, and what is said about it.
func fails(t *testing.T, s *SQLite, variant uint64, words ...string) {
	t.Helper()
	err := s.Put(t.Context(), record(variant, 1, true))
	if err == nil {
		t.Fatal("the record was written")
	}
	for _, word := range append(words, s.path) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not contain %q", err, word)
		}
	}
}

// holds checks that these variants, and no others, are there once.
func holds(t *testing.T, s Store, variants ...uint64) {
	t.Helper()
	found := map[uint64]int{}
	for _, r := range read(t, s, "c1") {
		found[r.Variant]++
	}
	for _, v := range variants {
		if found[v] != 1 {
			t.Errorf("variant %d is there %d times", v, found[v])
		}
	}
	if len(found) != len(variants) {
		t.Errorf("%d variants, want %d", len(found), len(variants))
	}
}

func TestAFullDatabaseGoesOnOnceThereIsSpace(t *testing.T) {
	s := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	must(t, s.Put(t.Context(), record(0, 1, true)))
	pragma(t, s, "max_page_count = 1") // which means: not one more than there are
	last := uint64(1)
	for ; ; last++ {
		err := s.Put(t.Context(), record(last, 1, true))
		if err != nil {
			break
		}
	}
	fails(t, s, last, "full", "free space")
	pragma(t, s, "max_page_count = 1000000")
	must(t, s.Put(t.Context(), record(last, 1, true)))
	var want []uint64
	for v := range last + 1 {
		want = append(want, v)
	}
	holds(t, s, want...)
}

func TestAFullDiskGoesOnOnceThereIsSpace(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); errors.Is(err, unix.EPERM) {
		t.Skip("needs root: only root can mount a small disk")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	s := openSQLite(t, filepath.Join(dir, "r.db"))
	ballast := filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 300<<10), 0o600))
	var stored []uint64
	next := uint64(0)
	for ; next < 10_000; next++ {
		if s.Put(t.Context(), record(next, 1, true)) != nil {
			break
		}
		stored = append(stored, next)
	}
	if len(stored) == 0 || len(stored) == 10_000 {
		t.Fatalf("%d records were written to a disk of 1 MiB", len(stored))
	}
	fails(t, s, next, "full", "free space")
	must(t, os.Remove(ballast))
	must(t, s.Put(t.Context(), record(next, 1, true)))
	holds(t, s, append(stored, next)...)
}

func TestALockedFileIsAnErrorThatEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	s := openSQLite(t, path)
	pragma(t, s, "busy_timeout = 50")
	other, err := sql.Open("sqlite", path)
	must(t, err)
	defer other.Close()
	shell, err := other.Conn(t.Context())
	must(t, err)
	defer shell.Close()
	if _, err := shell.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	fails(t, s, 1, "locked", "end the other program")
	holds(t, s) // reading goes on
	if _, err := shell.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	must(t, s.Put(t.Context(), record(1, 1, true)))
	holds(t, s, 1)
}

// TestALockedFileHoldsUpEveryPutOnce: puts that share a transaction must not wait for a lock one after the other.
func TestALockedFileHoldsUpEveryPutOnce(t *testing.T) {
	asked := 0
	locked := errors.New("locked")
	c := &committer{transact: func(context.Context, []row) error { asked++; return locked }, ownFault: func(error) bool { return false }}
	puts := make([]put, 10)
	for i := range puts {
		puts[i] = put{rows: make([]row, 1), answer: make(chan error, 1)}
	}
	c.commit(puts)
	for _, p := range puts {
		if err := <-p.answer; !errors.Is(err, locked) {
			t.Errorf("error %v", err)
		}
	}
	if asked != 1 {
		t.Errorf("%d transactions, want 1", asked)
	}
}

// TestABadRowFailsAlone: what the database refuses of one put does not fail those that share its transaction.
func TestABadRowFailsAlone(t *testing.T) {
	s := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	if _, err := s.handle.writer.ExecContext(t.Context(), `CREATE TRIGGER refuse BEFORE INSERT ON attempts WHEN new.variant = 13
		BEGIN SELECT raise(FAIL, 'unlucky'); END`); err != nil {
		t.Fatal(err)
	}
	var puts []put
	for _, v := range []uint64{12, 13, 14} {
		rows, err := rowsOf([]Record{record(v, 1, true)})
		must(t, err)
		puts = append(puts, put{rows: rows, answer: make(chan error, 1)})
	}
	s.writer.commit(puts)
	for i, p := range puts {
		if err := <-p.answer; (err != nil) != (i == 1) {
			t.Errorf("put %d: error %v", i, err)
		}
	}
	holds(t, s, 12, 14)
}

func TestAReadOnlyDatabaseGoesOnOnceItIsWritable(t *testing.T) {
	s := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	pragma(t, s, "query_only = 1")
	fails(t, s, 1, "readonly", "writable")
	pragma(t, s, "query_only = 0")
	must(t, s.Put(t.Context(), record(1, 1, true)))
	holds(t, s, 1)
}

func TestARemovedFileIsNoticedAndCanBePutBack(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "r.db"), filepath.Join(dir, "backup.db")
	s := openSQLite(t, path)
	must(t, s.Put(t.Context(), record(1, 1, true)))
	if _, err := s.handle.writer.ExecContext(t.Context(), "VACUUM INTO '"+backup+"'"); err != nil {
		t.Fatal(err)
	}
	must(t, s.Put(t.Context(), record(2, 1, true)))
	must(t, os.Remove(path))
	fails(t, s, 3, "removed or replaced", "put it back")
	fails(t, s, 3, "is the folder there")
	if err := s.Each(t.Context(), "c1", func(Record) error { return nil }); err == nil {
		t.Error("records were read from a file that is not there")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new file was made: %v", err)
	}
	must(t, os.Rename(backup, path))
	must(t, s.Put(t.Context(), record(3, 1, true)))
	holds(t, s, 1, 3)
}

func TestWritesAreFlushed(t *testing.T) {
	s := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	for what, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
		var got string
		must(t, s.handle.writer.QueryRowContext(t.Context(), "PRAGMA "+what).Scan(&got))
		if got != want {
			t.Errorf("%s = %s, want %s", what, got, want)
		}
	}
}
