package results

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgTables is version 3. It means the same as SQLite's, where flags are
// booleans, and swept, jobs and analysis are of type json.
const pgTables = `
CREATE TABLE schema_version (version int NOT NULL);
CREATE TABLE campaigns (
	key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, name text NOT NULL, spec_hash text NOT NULL,
	seed bigint NOT NULL, spec text NOT NULL, total bigint NOT NULL, begun bigint NOT NULL);
CREATE TABLE places (
	key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, target text NOT NULL, address text NOT NULL, generation text NOT NULL,
	host_class text NOT NULL, image_digest text NOT NULL,
	UNIQUE (target, address, generation, host_class, image_digest));
CREATE TABLE attempts (
	seq bigint GENERATED ALWAYS AS IDENTITY, campaign bigint NOT NULL REFERENCES campaigns, variant bigint NOT NULL, attempt int NOT NULL,
	final boolean NOT NULL, succeeded boolean NOT NULL, reason text NOT NULL, message text NOT NULL,
	place bigint NOT NULL REFERENCES places, after_recovery text NOT NULL, incarnation bigint NOT NULL, swept json,
	started bigint NOT NULL, ended bigint NOT NULL, bytes_in bigint NOT NULL, bytes_out bigint NOT NULL,
	jobs json NOT NULL, analysis json, PRIMARY KEY (campaign, seq));
CREATE UNIQUE INDEX one_record ON attempts (campaign, variant, attempt);
CREATE UNIQUE INDEX one_final ON attempts (campaign, variant) WHERE final;` + pgViews

const pgViews = `
CREATE VIEW records AS SELECT c.id AS campaign, a.variant, a.attempt, a.final, a.succeeded, a.reason, a.message,
	p.target, p.address, p.generation, a.after_recovery, a.incarnation, a.swept, a.started, a.ended,
	p.host_class, p.image_digest, a.bytes_in, a.bytes_out, a.analysis
	FROM attempts a JOIN campaigns c ON c.key = a.campaign JOIN places p ON p.key = a.place;
CREATE VIEW jobs AS SELECT c.id AS campaign, a.variant, a.attempt, j ->> 0 AS task, (j ->> 1)::int AS number,
	(j ->> 2)::bigint AS start_ms, (j ->> 3)::bigint AS end_ms, j ->> 4 AS outcome,
	(j ->> 5)::bigint AS released_ms
	FROM attempts a JOIN campaigns c ON c.key = a.campaign, json_array_elements(a.jobs) j;`

// pgFromVersion2 adds what version 2, PostgreSQL's first one, did not know.
const pgFromVersion2 = `
DROP VIEW records;
DROP VIEW jobs;
ALTER TABLE attempts ADD COLUMN analysis json;` + pgViews + `
UPDATE schema_version SET version = 3;`

// schemaLock is the key of the advisory lock under which the schema is made: "genode" in ASCII.
const schemaLock = 0x67656e6f6465

// migrate makes the tables, or checks that they are what this code knows.
func (s *Postgres) migrate(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.writes, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(schemaLock)); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `SELECT to_regclass('schema_version') IS NOT NULL`).Scan(&there); err != nil {
			return err
		}
		if !there {
			if _, err := tx.Exec(ctx, pgTables); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `INSERT INTO schema_version (version) VALUES ($1)`, version)
			return err
		}
		var found int
		if err := tx.QueryRow(ctx, `SELECT version FROM schema_version`).Scan(&found); err != nil {
			return err
		}
		if found == 2 {
			_, err := tx.Exec(ctx, pgFromVersion2)
			return err
		}
		if found != version {
			return fmt.Errorf("its schema has version %d, and this program knows version %d; use the program that wrote it, or a newer one, or another database", found, version)
		}
		return nil
	})
}

// pgRemedies say what to do about codes of PostgreSQL, or about classes of them (the first two characters).
var pgRemedies = map[string]string{
	"08":    "is the server there, and reachable from here?",
	"25006": "the server is a standby: name the primary one, for example with target_session_attrs=read-write",
	"28":    "check user and password of the DSN, and pg_hba.conf of the server",
	"3D000": "create the database",
	"42501": "grant the user CREATE on the schema, or the rights on its tables",
	"53":    "look after disk, memory and max_connections of the server",
	"55P03": "end the other session that holds a lock on the tables",
	"57":    "the server goes down or comes up",
}

// explain says what failed with which database, why, and what to do.
func (s *Postgres) explain(what string, err error) error {
	remedy := ""
	var e *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &e):
		if remedy = pgRemedies[e.Code]; remedy == "" {
			remedy = pgRemedies[e.Code[:min(2, len(e.Code))]]
		}
	case errors.As(err, &connect), pgconn.SafeToRetry(err), errors.Is(err, context.DeadlineExceeded):
		remedy = pgRemedies["08"]
	}
	if remedy != "" {
		return fmt.Errorf("%s %s: %w; %s", what, s.where, err, remedy)
	}
	return fmt.Errorf("%s %s: %w", what, s.where, err)
}

// faultOfPostgresRow reports whether a transaction failed because of what a row holds: it is no value of its
// type, breaks a constraint, or is too large.
func faultOfPostgresRow(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || len(e.Code) < 2 {
		return false
	}
	return e.Code[:2] == "22" || e.Code[:2] == "23" || e.Code[:2] == "54"
}
