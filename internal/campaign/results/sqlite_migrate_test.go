package results

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// version1 is how version 1 made its file.
const version1 = `
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
PRAGMA user_version = 1;`

const campaigns1 = `
CREATE TABLE IF NOT EXISTS campaigns (
	id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, spec_hash TEXT NOT NULL, seed INTEGER NOT NULL,
	spec TEXT NOT NULL, total TEXT NOT NULL, begun INTEGER NOT NULL);`

// writeVersion1 makes a file as version 1 did, with these records in this order.
func writeVersion1(t *testing.T, path, more string, records ...Record) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	must(t, err)
	defer func() { must(t, db.Close()) }()
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(context.Background(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(version1 + more)
	for _, r := range records {
		run(`INSERT INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, r.Campaign, int64(r.Variant), r.Attempt, r.Final, r.Succeeded,
			r.Reason, r.Message, r.Target, r.Address, r.Generation, r.AfterRecovery, r.Incarnation, r.Values, r.Started.UnixMicro(), r.Ended.UnixMicro())
		for _, j := range r.Jobs {
			run(`INSERT INTO jobs VALUES (?,?,?,?,?,?,?,?)`, r.Campaign, int64(r.Variant), r.Attempt, j.Task, j.Number, j.Start, j.End, j.Outcome)
		}
	}
}

// records1 are records as version 1 knew them, of two campaigns that ran at the same time.
func records1() (c1, c2, all []Record) {
	for v := uint64(50); v > 0; v-- {
		for _, r := range []Record{record(v, 1, false), record(v, 2, true)} {
			r.ImageDigest, r.HostClass, r.BytesIn, r.BytesOut = "", "", 0, 0
			r.Target = []string{"arm-0", "arm-1"}[v%2]
			if v == 7 {
				r.Jobs, r.Values = nil, ""
			}
			c1 = append(c1, r)
			r.Campaign = "c2"
			c2 = append(c2, r)
			all = append(all, c1[len(c1)-1], r)
		}
	}
	return c1, c2, all
}

func TestVersion1IsMigrated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	c1, c2, all := records1()
	writeVersion1(t, path, campaigns1+`INSERT INTO campaigns VALUES ('c2', 'ns/two', 'abc', -3, '{"tasks":[]}', '9223372036854775806', 42)`, all...)
	for range 2 { // what is migrated stays as it is
		s := openSQLite(t, path)
		if diff := cmp.Diff(c1, read(t, s, "c1")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(c2, read(t, s, "c2")); diff != "" {
			t.Error(diff)
		}
		got, err := s.Campaigns(t.Context())
		must(t, err)
		want := []Campaign{
			{ID: "c2", Name: "ns/two", SpecHash: "abc", Seed: -3, Spec: []byte(`{"tasks":[]}`), Total: 1<<63 - 2, Begun: time.UnixMicro(42)},
			{ID: "c1", Spec: []byte{}, Begun: c1[0].Started},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		must(t, s.Put(t.Context(), all...)) // is there already
		must(t, s.Close())
	}
	s := openSQLite(t, path)
	must(t, s.Put(t.Context(), record(51, 1, true)))
	if got := read(t, s, "c1"); len(got) != len(c1)+1 || got[len(c1)].Variant != 51 {
		t.Errorf("%d records after another one, want %d with the newest at the end", len(got), len(c1)+1)
	}
}

func TestAVersion1WithoutCampaignsIsMigrated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	c1, _, _ := records1()
	writeVersion1(t, path, "", c1...)
	s := openSQLite(t, path)
	if diff := cmp.Diff(c1, read(t, s, "c1")); diff != "" {
		t.Error(diff)
	}
	must(t, s.Begin(t.Context(), Campaign{ID: "c1", Name: "ns/one", SpecHash: "abc"}))
}

func TestAMigrationThatFailsLeavesTheFileAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	c1, _, _ := records1()
	writeVersion1(t, path, "CREATE TABLE places (of_somebody_else);", c1...)
	if _, err := OpenSQLite(t.Context(), path); err == nil || !strings.Contains(err.Error(), "from version 1 to 3") {
		t.Fatalf("error %v does not name the versions", err)
	}
	db, err := sql.Open("sqlite", path)
	must(t, err)
	if _, err := db.ExecContext(t.Context(), `DROP TABLE places`); err != nil {
		t.Fatal(err)
	}
	must(t, db.Close())
	if got := read(t, openSQLite(t, path), "c1"); len(got) != len(c1) {
		t.Errorf("%d records, want %d", len(got), len(c1))
	}
}

// toVersion2 makes the schema what it was in version 2, in both dialects.
const toVersion2 = `
DROP VIEW records;
DROP VIEW jobs;
ALTER TABLE attempts DROP COLUMN analysis;
CREATE VIEW records AS SELECT c.id AS campaign, a.variant FROM attempts a JOIN campaigns c ON c.key = a.campaign;
CREATE VIEW jobs AS SELECT c.id AS campaign, a.jobs FROM attempts a JOIN campaigns c ON c.key = a.campaign;`

func TestVersion2IsMigrated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	s := openSQLite(t, path)
	must(t, s.Put(t.Context(), record(1, 1, true)))
	must(t, s.Close())
	db, err := sql.Open("sqlite", path)
	must(t, err)
	if _, err := db.ExecContext(t.Context(), toVersion2+`PRAGMA user_version = 2`); err != nil {
		t.Fatal(err)
	}
	must(t, db.Close())
	for range 2 {
		s := openSQLite(t, path)
		analysed := record(2, 1, true)
		analysed.Analysis = `{"schedulable":true}`
		must(t, s.Put(t.Context(), analysed))
		if diff := cmp.Diff([]Record{record(1, 1, true), analysed}, read(t, s, "c1")); diff != "" {
			t.Error(diff)
		}
		var said string
		must(t, s.handle.reader.QueryRowContext(t.Context(), `SELECT analysis FROM records WHERE variant = 2`).Scan(&said))
		must(t, s.Close())
	}
}

func TestANewerVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	db, err := sql.Open("sqlite", path)
	must(t, err)
	if _, err := db.ExecContext(t.Context(), `PRAGMA user_version = 4`); err != nil {
		t.Fatal(err)
	}
	must(t, db.Close())
	_, err = OpenSQLite(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "version 4") {
		t.Errorf("error %v does not name the file and its version", err)
	}
}

func TestAnotherFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	must(t, os.WriteFile(path, []byte(strings.Repeat("this is no database\n", 100)), 0o600))
	if _, err := OpenSQLite(t.Context(), path); err == nil || !strings.Contains(err.Error(), "no results store") {
		t.Errorf("error %v does not say what the file is not", err)
	}
}
