package results

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"
)

const (
	maxBatch   = 256              // puts that share one transaction
	maxWriting = 30 * time.Second // for one transaction, lock waits included
)

// write is the only writer: it takes whatever waits and commits it in one transaction.
func (s *SQLite) write() {
	for {
		var batch []put
		select {
		case p := <-s.queue:
			batch = append(batch, p)
		case <-s.done:
			return
		}
	fill:
		for len(batch) < maxBatch {
			select {
			case p := <-s.queue:
				batch = append(batch, p)
			default:
				break fill
			}
		}
		s.commit(batch)
	}
}

// commit answers every put of the batch. When the shared transaction fails each put gets its own, so
// that one bad record does not fail its neighbours.
func (s *SQLite) commit(batch []put) {
	var all []Record
	for _, p := range batch {
		all = append(all, p.records...)
	}
	err := s.transact(all)
	for _, p := range batch {
		own := err
		if err != nil && len(batch) > 1 {
			own = s.transact(p.records)
		}
		p.answer <- own
	}
}

func (s *SQLite) transact(records []Record) error {
	ctx, cancel := context.WithTimeout(context.Background(), maxWriting)
	defer cancel()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write results to %s: %w", s.path, err)
	}
	defer tx.Rollback() // after Commit it has nothing to say
	for i := range records {
		if err := insert(ctx, tx, &records[i]); err != nil {
			return fmt.Errorf("write result of variant %d to %s: %w", records[i].Variant, s.path, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write results to %s: %w", s.path, err)
	}
	return nil
}

func insert(ctx context.Context, tx *sql.Tx, r *Record) error {
	if r.Variant > math.MaxInt64 {
		return fmt.Errorf("variant numbers above %d cannot be stored", int64(math.MaxInt64))
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		r.Campaign, int64(r.Variant), r.Attempt, r.Final, r.Succeeded, r.Reason, r.Message,
		r.Target, r.Address, r.Generation, r.AfterRecovery, r.Incarnation, r.Values,
		r.Started.UnixMicro(), r.Ended.UnixMicro())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err // it was there already, jobs included
	}
	for _, j := range r.Jobs {
		if _, err := tx.ExecContext(ctx, `INSERT INTO jobs VALUES (?,?,?,?,?,?,?,?)`,
			r.Campaign, int64(r.Variant), r.Attempt, j.Task, j.Number, j.Start, j.End, j.Outcome); err != nil {
			return err
		}
	}
	return nil
}
