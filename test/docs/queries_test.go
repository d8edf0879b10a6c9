package docs

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// TestTheQueriesOfTheResultsPageWork runs them on a store with a repeated, a succeeded and a failed variant.
func TestTheQueriesOfTheResultsPageWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	store, err := results.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), attempts()...); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	blocks := page{"docs/results.md", read(t, "docs/results.md")}.blocks("sql")
	if len(blocks) < 5 {
		t.Errorf("%d queries found, want at least 5", len(blocks))
	}
	for _, query := range blocks {
		want := 1
		if strings.Contains(query, "HAVING") {
			want = 0 // it looks for what must not be
		}
		if got := count(t, db, query); got < want || want == 0 && got > 0 {
			t.Errorf("%d rows, want %d, from\n%s", got, want, query)
		}
	}
}

func count(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, sql.Named("uid", "campaign"))
	if err != nil {
		t.Errorf("%v in\n%s", err, query)
		return 0
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err != nil {
		t.Errorf("%v in\n%s", err, query)
	}
	return n
}

func attempts() []results.Record {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	base := results.Record{
		Campaign: "campaign", Attempt: 1, Target: "default/arm-0", Address: "127.77.0.1:3001", Generation: "1608b",
		Values: `{"load.config.arg1":"100000"}`, Started: at, Ended: at.Add(time.Second),
	}
	lost, done, failed := base, base, base
	lost.Reason = "SessionReset"
	done.Attempt, done.Final, done.Succeeded, done.Reason, done.AfterRecovery = 2, true, true, "Completed", "Restore"
	done.Jobs = []results.Job{{Task: "load", Number: 1, Start: ptr.To[int64](10), End: ptr.To[int64](35), Outcome: "EXIT"}}
	failed.Variant, failed.Final, failed.Reason = 1, true, "TimedOut"
	return []results.Record{lost, done, failed}
}
