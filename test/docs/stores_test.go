package docs

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/testenv/postgres"
)

// filled puts the attempts of the example into a store and closes it.
func filled(t *testing.T, dsn string) {
	t.Helper()
	store, err := results.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), attempts()...); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// statements are those of the one block in a language on the results page.
func statements(t *testing.T, language string) []string {
	t.Helper()
	blocks := page{"docs/results.md", read(t, "docs/results.md")}.blocks(language)
	if len(blocks) != 1 {
		t.Fatalf("docs/results.md has %d blocks of %s, want one", len(blocks), language)
	}
	return strings.SplitAfter(strings.TrimSpace(strings.ReplaceAll(blocks[0], "'UID'", "'campaign'")), ";")
}

func TestTheResultsPageKnowsPostgreSQL(t *testing.T) {
	dsn := postgres.Start(t).Database()
	filled(t, dsn)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var task, arg1 string
	var jobs int
	var mean float64
	if err := conn.QueryRow(t.Context(), statements(t, "pgsql")[0], "campaign").Scan(&task, &arg1, &jobs, &mean); err != nil {
		t.Fatal(err)
	}
	if task != "load" || arg1 != "100000" || jobs != 1 || mean != 25 {
		t.Errorf("%s %s %d %g, want load 100000 1 25", task, arg1, jobs, mean)
	}
	for _, s := range statements(t, "delete") {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	var left int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM records`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d records are left: %v", left, err)
	}
}

func TestOldCampaignsCanBeDeleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	filled(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements(t, "delete") {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	var left int
	if err := db.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM records) + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM campaigns)`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left: %v", left, err)
	}
}
