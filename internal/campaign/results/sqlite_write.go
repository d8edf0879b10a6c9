package results

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// rowsPerInsert is how many rows one statement inserts: each call costs about as much as five rows do.
const rowsPerInsert = 32

const rowColumns = "seq, campaign, variant, attempt, final, succeeded, reason, message, place, after_recovery, incarnation, swept, " +
	"started, ended, bytes_in, bytes_out, jobs, analysis"

// insert is a statement for n rows. Those that are there already, and those of variants that are settled, are
// left out; any other conflict is an error.
func insert(n int) string {
	one := "(?" + strings.Repeat(",?", strings.Count(rowColumns, ",")) + ")"
	return "INSERT INTO attempts (" + rowColumns + ") VALUES " + one + strings.Repeat(","+one, n-1) +
		" ON CONFLICT (campaign, variant, attempt) DO NOTHING ON CONFLICT (campaign, variant) WHERE final = 1 DO NOTHING"
}

// transact writes rows in one transaction. It does not say so before it has seen that the file has a name.
func (s *SQLite) transact(ctx context.Context, rows []row) error {
	return s.with(ctx, "write results to", func(h *handle) error {
		tx, err := h.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		w := batch{handle: h, tx: tx, next: map[int64]int64{}}
		w.insertOne, w.insertMany = tx.StmtContext(ctx, h.one), tx.StmtContext(ctx, h.many) // closed with tx
		if err := w.insert(ctx, rows); err != nil {
			h.forget()
			return err
		}
		if err := tx.Commit(); err != nil {
			h.forget()
			return err
		}
		return h.sound()
	})
}

// forget drops the keys that a transaction made which was not committed.
func (h *handle) forget() {
	clear(h.campaigns)
	clear(h.placeKeys)
}

// batch is a transaction that writes rows.
type batch struct {
	*handle
	tx                    *sql.Tx
	insertOne, insertMany *sql.Stmt
	next                  map[int64]int64 // seq of the next record, by campaign
	args                  []any
}

func (w *batch) insert(ctx context.Context, rows []row) error {
	for len(rows) > 0 {
		n, stmt := 1, w.insertOne
		if len(rows) >= rowsPerInsert {
			n, stmt = rowsPerInsert, w.insertMany
		}
		w.args = w.args[:0]
		for i := range rows[:n] {
			if err := w.append(ctx, &rows[i]); err != nil {
				return fmt.Errorf("variant %d: %w", rows[i].Variant, err)
			}
		}
		// Nothing in it can wait, so that it needs no goroutine that watches a context.
		if _, err := stmt.ExecContext(context.WithoutCancel(ctx), w.args...); err != nil {
			return fmt.Errorf("variants from %d: %w", rows[0].Variant, err)
		}
		rows = rows[n:]
	}
	return nil
}

// append adds the values of a row, in the order of rowColumns.
func (w *batch) append(ctx context.Context, r *row) error {
	campaign, err := w.campaign(ctx, r)
	if err != nil {
		return err
	}
	place, err := w.place(ctx, r.place)
	if err != nil {
		return err
	}
	w.args = append(w.args, w.next[campaign], campaign, int64(r.Variant), int64(r.Attempt), bit(r.Final), bit(r.Succeeded),
		r.Reason, r.Message, place, r.AfterRecovery, r.Incarnation, r.swept,
		r.Started.UnixMicro(), r.Ended.UnixMicro(), r.BytesIn, r.BytesOut, r.jobs, r.said)
	w.next[campaign]++
	return nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// campaign is the key of a record's campaign. One that nobody has begun gets a row without a spec.
func (w *batch) campaign(ctx context.Context, r *row) (int64, error) {
	key, known := w.campaigns[r.Campaign]
	if !known {
		err := w.tx.QueryRowContext(ctx, `INSERT INTO campaigns (id, name, spec_hash, seed, spec, total, begun) VALUES (?, '', '', 0, '', 0, ?)
			ON CONFLICT (id) DO UPDATE SET id = id RETURNING key`, r.Campaign, r.Started.UnixMicro()).Scan(&key)
		if err != nil {
			return 0, err
		}
		w.campaigns[r.Campaign] = key
	}
	if _, counted := w.next[key]; counted {
		return key, nil
	}
	var last sql.NullInt64
	err := w.tx.QueryRowContext(ctx, `SELECT max(seq) FROM attempts WHERE seq BETWEEN ? AND ?`, key<<seqBits, (key+1)<<seqBits-1).Scan(&last)
	if err != nil {
		return 0, err
	}
	w.next[key] = max(key<<seqBits, last.Int64) + 1
	return key, nil
}

func (w *batch) place(ctx context.Context, p place) (int64, error) {
	key, known := w.placeKeys[p]
	if known {
		return key, nil
	}
	args := []any{p.target, p.address, p.generation, p.hostClass, p.imageDigest}
	err := w.tx.QueryRowContext(ctx, `SELECT key FROM places WHERE (target, address, generation, host_class, image_digest) = (?,?,?,?,?)`, args...).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		err = w.tx.QueryRowContext(ctx, `INSERT INTO places (target, address, generation, host_class, image_digest) VALUES (?,?,?,?,?) RETURNING key`, args...).Scan(&key)
	}
	if err == nil {
		w.placeKeys[p] = key
	}
	return key, err
}
