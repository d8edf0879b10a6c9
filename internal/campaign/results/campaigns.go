package results

import (
	"context"
	"fmt"
	"time"
)

// Begin implements Store.
func (s *SQLite) Begin(ctx context.Context, c Campaign) error {
	if _, err := s.db.ExecContext(ctx, `INSERT INTO campaigns VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		c.ID, c.Name, c.SpecHash, c.Seed, string(c.Spec), fmt.Sprint(c.Total), c.Begun.UnixMicro()); err != nil {
		return fmt.Errorf("begin campaign %s in %s: %w", c.Name, s.path, err)
	}
	var hash string
	if err := s.db.QueryRowContext(ctx, `SELECT spec_hash FROM campaigns WHERE id = ?`, c.ID).Scan(&hash); err != nil {
		return fmt.Errorf("begin campaign %s in %s: %w", c.Name, s.path, err)
	}
	if hash != c.SpecHash {
		return fmt.Errorf("campaign %s is in %s with another spec: %w", c.Name, s.path, ErrOtherSpec)
	}
	return nil
}

// Campaigns implements Store.
func (s *SQLite) Campaigns(ctx context.Context) ([]Campaign, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, spec_hash, seed, spec, total, begun FROM campaigns ORDER BY begun`)
	if err != nil {
		return nil, fmt.Errorf("list campaigns of %s: %w", s.path, err)
	}
	defer rows.Close()
	var out []Campaign
	for rows.Next() {
		var c Campaign
		var begun int64
		if err := rows.Scan(&c.ID, &c.Name, &c.SpecHash, &c.Seed, &c.Spec, &c.Total, &begun); err != nil {
			return nil, fmt.Errorf("list campaigns of %s: %w", s.path, err)
		}
		c.Begun = time.UnixMicro(begun)
		out = append(out, c)
	}
	return out, rows.Err()
}

// Reopen implements Store.
func (s *SQLite) Reopen(ctx context.Context, campaign string) (int64, error) {
	done, err := s.db.ExecContext(ctx, `UPDATE records SET final = 0 WHERE campaign = ? AND final = 1 AND succeeded = 0`, campaign)
	if err != nil {
		return 0, fmt.Errorf("reopen failed variants in %s: %w", s.path, err)
	}
	return done.RowsAffected()
}
