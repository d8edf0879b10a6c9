package results

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/genode-operator/genode-operator/internal/testenv/postgres"
)

func openPostgres(t testing.TB, dsn string) *Postgres {
	t.Helper()
	s, err := OpenPostgres(t.Context(), dsn)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func TestPostgresConforms(t *testing.T) {
	server := postgres.Start(t)
	conform(t, func(t *testing.T) func() Store {
		t.Helper()
		dsn := server.Database()
		return func() Store { return openPostgres(t, dsn) }
	})
}

func TestPostgresOfVersion2IsMigrated(t *testing.T) {
	dsn := postgres.Start(t).Database()
	s := openPostgres(t, dsn)
	must(t, s.Put(t.Context(), record(1, 1, true)))
	if _, err := s.writes.Exec(t.Context(), toVersion2+`UPDATE schema_version SET version = 2`); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := openPostgres(t, dsn)
		analysed := record(2, 1, true)
		analysed.Analysis = `{"schedulable":true}`
		must(t, s.Put(t.Context(), analysed))
		if diff := cmp.Diff([]Record{record(1, 1, true), analysed}, read(t, s, "c1")); diff != "" {
			t.Error(diff)
		}
	}
}

// TestPostgresComesBack kills the server between and under writes.
func TestPostgresComesBack(t *testing.T) {
	server := postgres.Start(t)
	s := openPostgres(t, server.Database())
	next := uint64(0)
	var stored []uint64
	for range 3 {
		for range 20 {
			must(t, s.Put(t.Context(), record(next, 1, true)))
			stored = append(stored, next)
			next++
		}
		server.Stop()
		for range 2 {
			err := s.Put(t.Context(), record(next, 1, true))
			if err == nil || !strings.Contains(err.Error(), s.where) || !strings.Contains(err.Error(), "is the server there") {
				t.Fatalf("error %v does not say where the server should be", err)
			}
		}
		server.Run()
		for failures := 0; s.Put(t.Context(), record(next, 1, true)) != nil; failures++ {
			if failures == 3 {
				t.Fatal("the store does not come back with its server")
			}
		}
		stored = append(stored, next)
		next++
		holds(t, s, stored...)
	}
}

func TestPostgresErrorsSayWhatToDo(t *testing.T) {
	server := postgres.Start(t)
	dsn := server.Database()
	fails := func(dsn string, words ...string) {
		t.Helper()
		_, err := OpenPostgres(t.Context(), dsn)
		for _, word := range words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("error %v does not contain %q", err, word)
			}
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error %v tells the password", err)
		}
	}
	fails(strings.Replace(dsn, "results1", "nowhere", 1)+"&password=s3cret", "nowhere", "create the database")
	fails("postgres://me:s3cret@127.0.0.1:1/results", "postgres://me@127.0.0.1:1/results", "is the server there")
	fails("postgres://me:s3cret@host:port/results", "a DSN looks like")

	s := openPostgres(t, dsn+"&lock_timeout=50")
	conn, err := pgx.Connect(t.Context(), dsn)
	must(t, err)
	defer conn.Close(t.Context())
	tx, err := conn.Begin(t.Context())
	must(t, err)
	if _, err := tx.Exec(t.Context(), `LOCK TABLE attempts`); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), record(1, 1, true)); err == nil || !strings.Contains(err.Error(), "end the other session") {
		t.Errorf("locked: error %v", err)
	}
	must(t, tx.Rollback(t.Context()))
	must(t, s.Put(t.Context(), record(1, 1, true)))
	holds(t, s, 1)
	server.Exec("results1", `UPDATE schema_version SET version = 4`)
	fails(dsn, "version 4", "results1")
}

func TestABadRowFailsAloneInPostgres(t *testing.T) {
	s := openPostgres(t, postgres.Start(t).Database())
	var puts []put
	for _, v := range []uint64{12, 13, 14} {
		r := record(v, 1, true)
		if v == 13 {
			r.Values = "{no json"
		}
		rows, err := rowsOf([]Record{r})
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

func TestOpenPicksTheStore(t *testing.T) {
	dir, dsn := t.TempDir(), postgres.Start(t).Database()
	for name, want := range map[string]string{
		dsn: "postgres://tester@", dir + "/a.db": "sqlite:" + dir + "/a.db?", "sqlite:" + dir + "/b.db": "sqlite:" + dir + "/b.db?",
		"sqlite://" + dir + "/c.db": "sqlite:" + dir + "/c.db?",
	} {
		s, err := Open(t.Context(), name)
		must(t, err)
		if got := s.Reference("c1"); !strings.HasPrefix(got, want) || !strings.Contains(got, "campaign=c1") {
			t.Errorf("%s: reference %s, want %s…", name, got, want)
		}
		must(t, s.Close())
	}
	for _, name := range []string{"", "mysql://root@localhost/results", dir + "/missing/d.db", "postgres://127.0.0.1:1/x"} {
		if s, err := Open(t.Context(), name); err == nil || s != nil {
			t.Errorf("%q was opened", name)
		} else if errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
}

func BenchmarkPostgres(b *testing.B) {
	server := postgres.Start(b)
	for _, writers := range []int{1, 128, 1024} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			benchmarkPut(b, openPostgres(b, server.Database()), writers, 1)
		})
	}
	b.Run("each", func(b *testing.B) { benchmarkEach(b, openPostgres(b, server.Database())) })
}
