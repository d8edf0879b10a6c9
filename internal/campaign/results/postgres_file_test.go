package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/testenv/postgres"
)

// withPasswords makes a server ask the user keeper for a password.
const withPasswords = `CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 'f1rst';
DO $$ BEGIN EXECUTE format(
	'COPY (VALUES (''local all keeper scram-sha-256''), (''local all all trust'')) TO %L', current_setting('hba_file')); END $$;
SELECT pg_reload_conf();`

// cut ends all connections of the store.
const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'genode-operator'`

func TestAPasswordMayChangeWhileTheStoreIsOpen(t *testing.T) {
	server := postgres.Start(t)
	dsn := strings.Replace(server.Database(), "user=tester", "user=keeper", 1)
	server.Exec("postgres", withPasswords)
	path := filepath.Join(t.TempDir(), "dsn")
	write := func(dsn string) { must(t, os.WriteFile(path, []byte(dsn+"\n"), 0o600)) }

	write(dsn + "&password=f1rst")
	s, err := OpenPostgresFile(t.Context(), path)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	must(t, s.Put(t.Context(), record(1, 1, true)))

	// refused puts until an error has the word; the first one may be that the old connection is gone.
	refused := func(word string) {
		t.Helper()
		var err error
		for range 3 {
			if err = s.Put(t.Context(), record(2, 1, true)); err != nil && strings.Contains(err.Error(), word) {
				break
			}
		}
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "f1rst") || strings.Contains(err.Error(), "s3cond") {
			t.Fatalf("error %v, want one with %q and no password", err, word)
		}
	}
	server.Exec("postgres", `ALTER ROLE keeper PASSWORD 's3cond'`)
	server.Exec("postgres", cut)
	refused("check user and password")
	write(strings.Replace(dsn, "/results1", "/postgres", 1) + "&password=s3cond")
	refused("start it anew")
	must(t, os.Remove(path))
	refused(path)
	write(dsn + "&password=s3cond")
	must(t, s.Put(t.Context(), record(2, 1, true)))
	holds(t, s, 1, 2)
}

func TestFilesThatHoldNoDSN(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dsn")
	for content, want := range map[string]string{
		"":                                   "is empty",
		" \n":                                "is empty",
		"host=db password=s3cret":            "holds no DSN",
		"results.db":                         "holds no DSN",
		"mysql://root:s3cret@db/results":     "holds no DSN",
		"postgres://me:s3cret@db:port/x":     "looks like",
		"postgres://me:s3cret@127.0.0.1:1/x": "is the server there",
		"postgres://" + string(make([]byte, longestDSN)): "is no DSN",
	} {
		must(t, os.WriteFile(path, []byte(content), 0o600))
		s, err := OpenPostgresFile(t.Context(), path)
		if err == nil || s != nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%.40q: error %v, want one with %q and no password", content, err, want)
		}
	}
	if _, err := OpenPostgresFile(t.Context(), path+"x"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("error %v", err)
	}
}
