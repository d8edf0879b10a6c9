package results

import (
	"context"
	"database/sql"
	"fmt"
)

// version of the schema that this code writes.
const version = 3

// seqBits is how many records a campaign can have, as a power of two: the seq of a record is the key of its
// campaign, and in these bits a count in the order of writing. So the records of a campaign stand together,
// in that order, without an index for it.
const seqBits = 40

// tables is version 3. The partial index is the second lock on "every variant once": even a bug above
// cannot make two final records of one variant. README of its columns: docs/results.md.
const tables = `
CREATE TABLE campaigns (
	key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, spec_hash TEXT NOT NULL,
	seed INTEGER NOT NULL, spec TEXT NOT NULL, total INTEGER NOT NULL, begun INTEGER NOT NULL);
CREATE TABLE places (
	key INTEGER PRIMARY KEY, target TEXT NOT NULL, address TEXT NOT NULL, generation TEXT NOT NULL,
	host_class TEXT NOT NULL, image_digest TEXT NOT NULL,
	UNIQUE (target, address, generation, host_class, image_digest));
CREATE TABLE attempts (
	seq INTEGER PRIMARY KEY, campaign INTEGER NOT NULL, variant INTEGER NOT NULL, attempt INTEGER NOT NULL,
	final INTEGER NOT NULL, succeeded INTEGER NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
	place INTEGER NOT NULL, after_recovery TEXT NOT NULL, incarnation INTEGER NOT NULL, swept TEXT,
	started INTEGER NOT NULL, ended INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,
	jobs TEXT NOT NULL, analysis TEXT);
CREATE UNIQUE INDEX one_record ON attempts (campaign, variant, attempt);
CREATE UNIQUE INDEX one_final ON attempts (campaign, variant) WHERE final = 1;`

const views = `
CREATE VIEW records AS SELECT c.id AS campaign, a.variant, a.attempt, a.final, a.succeeded, a.reason, a.message,
	p.target, p.address, p.generation, a.after_recovery, a.incarnation, a.swept, a.started, a.ended,
	p.host_class, p.image_digest, a.bytes_in, a.bytes_out, a.analysis
	FROM attempts a JOIN campaigns c ON c.key = a.campaign JOIN places p ON p.key = a.place;
CREATE VIEW jobs AS SELECT c.id AS campaign, a.variant, a.attempt,
	json_extract(j.value, '$[0]') AS task, json_extract(j.value, '$[1]') AS number,
	json_extract(j.value, '$[2]') AS start_ms, json_extract(j.value, '$[3]') AS end_ms, json_extract(j.value, '$[4]') AS outcome,
	json_extract(j.value, '$[5]') AS released_ms
	FROM attempts a JOIN campaigns c ON c.key = a.campaign, json_each(a.jobs) j;`

// fromVersion2 adds what version 2 did not know.
const fromVersion2 = `
DROP VIEW records;
DROP VIEW jobs;
ALTER TABLE attempts ADD COLUMN analysis TEXT;`

// fromVersion1 moves everything of version 1 into the tables of today and removes what it was in. Version 1
// had a row for each job, wrote the campaign's UID into each row, and did not know campaigns at first.
const fromVersion1 = `
CREATE TABLE IF NOT EXISTS campaigns (
	id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, spec_hash TEXT NOT NULL, seed INTEGER NOT NULL,
	spec TEXT NOT NULL, total TEXT NOT NULL, begun INTEGER NOT NULL);
DROP INDEX IF EXISTS one_final;
ALTER TABLE campaigns RENAME TO old_campaigns;
ALTER TABLE records RENAME TO old_records;
ALTER TABLE jobs RENAME TO old_jobs;` + tables + `
INSERT INTO campaigns (id, name, spec_hash, seed, spec, total, begun)
	SELECT id, name, spec_hash, seed, spec, CAST(total AS INTEGER), begun FROM old_campaigns ORDER BY begun, rowid;
INSERT INTO campaigns (id, name, spec_hash, seed, spec, total, begun)
	SELECT campaign, '', '', 0, '', 0, min(started) FROM old_records
	WHERE campaign NOT IN (SELECT id FROM old_campaigns) GROUP BY campaign ORDER BY min(started);
INSERT INTO places (target, address, generation, host_class, image_digest)
	SELECT DISTINCT target, address, generation, '', '' FROM old_records;
INSERT INTO attempts SELECT (c.key << 40) + row_number() OVER (PARTITION BY c.key ORDER BY r.rowid),
	c.key, r.variant, r.attempt, r.final, r.succeeded, r.reason, r.message, p.key, r.after_recovery, r.incarnation,
	nullif(r.swept, ''), r.started, r.ended, 0, 0,
	(SELECT json_group_array(json_array(j.task, j.number, j.start_ms, j.end_ms, j.outcome)) FROM
		(SELECT * FROM old_jobs WHERE campaign = r.campaign AND variant = r.variant AND attempt = r.attempt ORDER BY rowid) j), NULL
	FROM old_records r JOIN campaigns c ON c.id = r.campaign
	JOIN places p ON (p.target, p.address, p.generation) = (r.target, r.address, r.generation);
DROP TABLE old_jobs;
DROP TABLE old_records;
DROP TABLE old_campaigns;`

// migrate brings a file to the current version, in one transaction: whoever is killed meanwhile leaves it as it
// was.
func migrate(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	found := 0
	if err := tx.QueryRowContext(ctx, `SELECT CASE WHEN user_version = 0 AND
		EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'records') THEN 1 ELSE user_version END FROM pragma_user_version`).Scan(&found); err != nil {
		return err
	}
	var steps string
	switch found {
	case version:
		return nil
	case 0:
		steps = tables + views
	case 1:
		steps = fromVersion1 + views
	case 2:
		steps = fromVersion2 + views
	default:
		return fmt.Errorf("its schema has version %d, and this program knows versions up to %d; use the program that wrote it, or a newer one, or another file", found, version)
	}
	if _, err := tx.ExecContext(ctx, steps+fmt.Sprintf("PRAGMA user_version = %d;", version)); err != nil {
		return fmt.Errorf("bring its schema from version %d to %d: %w", found, version, err)
	}
	return tx.Commit()
}
