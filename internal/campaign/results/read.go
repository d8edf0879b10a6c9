package results

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Each implements Store. Two cursors run side by side, so memory does not grow with the campaign.
func (s *SQLite) Each(ctx context.Context, campaign string, f func(Record) error) error {
	rows, err := s.db.QueryContext(ctx, `SELECT variant, attempt, final, succeeded, reason, message, target, address,
		generation, after_recovery, incarnation, swept, started, ended FROM records WHERE campaign = ? ORDER BY rowid`, campaign)
	if err != nil {
		return fmt.Errorf("read results from %s: %w", s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		r := Record{Campaign: campaign}
		var variant, started, ended int64
		if err := rows.Scan(&variant, &r.Attempt, &r.Final, &r.Succeeded, &r.Reason, &r.Message, &r.Target, &r.Address,
			&r.Generation, &r.AfterRecovery, &r.Incarnation, &r.Values, &started, &ended); err != nil {
			return fmt.Errorf("read results from %s: %w", s.path, err)
		}
		r.Variant, r.Started, r.Ended = uint64(variant), time.UnixMicro(started), time.UnixMicro(ended)
		if r.Jobs, err = s.jobs(ctx, campaign, variant, r.Attempt); err != nil {
			return fmt.Errorf("read jobs of variant %d from %s: %w", variant, s.path, err)
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *SQLite) jobs(ctx context.Context, campaign string, variant int64, attempt int32) ([]Job, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT task, number, start_ms, end_ms, outcome FROM jobs
		WHERE campaign = ? AND variant = ? AND attempt = ? ORDER BY rowid`, campaign, variant, attempt)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Job
	for rows.Next() {
		var j Job
		var start, end sql.NullInt64
		if err := rows.Scan(&j.Task, &j.Number, &start, &end, &j.Outcome); err != nil {
			return nil, err
		}
		if start.Valid {
			j.Start = &start.Int64
		}
		if end.Valid {
			j.End = &end.Int64
		}
		out = append(out, j)
	}
	return out, rows.Err()
}
