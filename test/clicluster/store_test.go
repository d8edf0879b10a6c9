package clicluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/testenv/postgres"
)

// withPasswords makes a server ask the user keeper for a password.
const withPasswords = `CREATE ROLE keeper LOGIN SUPERUSER PASSWORD '` + secret + `1';
DO $$ BEGIN EXECUTE format(
	'COPY (VALUES (''local all keeper scram-sha-256''), (''local all all trust'')) TO %L', current_setting('hba_file')); END $$;
SELECT pg_reload_conf();`

// TestResultsInPostgreSQL changes the password of the database in the middle of a campaign, as a Secret that is
// rotated does; and has two sinks watch along.
func TestResultsInPostgreSQL(t *testing.T) {
	server := postgres.Start(t)
	dsn := strings.Replace(server.Database(), "user=tester", "user=keeper", 1)
	server.Exec("postgres", withPasswords)
	l := newLab(t, 2, faketarget.Options{Job: faketarget.Takes(10), Quiet: true})
	file, notices, jobs := filepath.Join(l.home, "dsn"), filepath.Join(l.home, "notices.jsonl"), filepath.Join(l.home, "jobs.csv")
	write := func(dsn string) {
		if err := os.WriteFile(file, []byte(dsn), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(dsn + "&password=" + secret + "1")
	l.open("--results-dsn-file="+file, "--sink=jsonl:"+notices, "--sink=csv:"+jobs)
	l.write("hey6.yaml", "hey6", "example.Hey6", nil)
	run := l.begin("kubectl-genode", "run", "-f", "hey6.yaml")
	l.await("hey6", "some variants", func(ts *v1alpha1.TaskSet) bool { return ts.Status.Variants != nil && ts.Status.Variants.Succeeded > 10 })

	server.Exec("postgres", fmt.Sprintf("ALTER ROLE keeper PASSWORD '%s2'", secret))
	server.Exec("postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'`)
	l.await("hey6", "trouble with the store", func(ts *v1alpha1.TaskSet) bool { return reason(ts) == v1alpha1.ReasonStoreUnavailable })
	write(dsn + "&password=" + secret + "2")
	run().want(t, 0, "127/127 variants")

	done := l.await("hey6", "completion", complete)
	if ref := done.Status.ResultsRef; !strings.HasPrefix(ref, "postgres://keeper@") || strings.Contains(ref, secret) {
		t.Errorf("resultsRef %q", ref)
	}
	if all := l.records(l.do("kubectl-genode", "results", "hey6", "-o", "jsonl", "--where", "final && succeeded")); len(all) != 127 {
		t.Errorf("%d records by way of the manager, want 127", len(all))
	}
	straight := l.do("genodectl", "results", string(done.UID), "-o", "csv", "--where", "final", "--manager=", "--store", dsn+"&password="+secret+"2").want(t, 0)
	if n := strings.Count(straight.out, "\n"); n != 128 {
		t.Errorf("%d lines from the database, want a head and 127 jobs", n)
	}
	l.holds(notices, `"Finished"`, 127)
	l.holds(jobs, "EXIT", 127)
}

// holds waits until a file has so many lines with a word; sinks write a little later than the store.
func (l *lab) holds(path, word string, lines int) {
	l.Helper()
	got := 0
	l.Until(path, func() bool {
		text, err := os.ReadFile(path)
		if err != nil {
			l.Fatal(err)
		}
		got = 0
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, word) {
				got++
			}
		}
		return got >= lines
	}, func() string { return fmt.Sprintf("%d lines with %s, want %d", got, word, lines) })
	if got > lines {
		l.Errorf("%s: %d lines with %s, want %d", path, got, word, lines)
	}
}
