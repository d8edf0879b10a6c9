package results

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Begin implements Store.
func (s *SQLite) Begin(ctx context.Context, c Campaign) error {
	if err := checkCampaign(c); err != nil {
		return err
	}
	return s.with(ctx, "begin campaign "+c.Name+" in", func(h *handle) error {
		// A campaign whose records came before it has no hash yet.
		if _, err := h.writer.ExecContext(ctx, `INSERT INTO campaigns (id, name, spec_hash, seed, spec, total, begun) VALUES (?,?,?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, spec_hash = excluded.spec_hash, seed = excluded.seed,
			spec = excluded.spec, total = excluded.total WHERE spec_hash = ''`,
			c.ID, c.Name, c.SpecHash, c.Seed, string(c.Spec), int64(c.Total), c.Begun.UnixMicro()); err != nil {
			return err
		}
		var hash string
		if err := h.writer.QueryRowContext(ctx, `SELECT spec_hash FROM campaigns WHERE id = ?`, c.ID).Scan(&hash); err != nil {
			return err
		}
		if hash != c.SpecHash {
			return fmt.Errorf("it is there with another spec: %w", ErrOtherSpec)
		}
		return h.sound()
	})
}

func checkCampaign(c Campaign) error {
	if c.Total > math.MaxInt64 {
		return fmt.Errorf("campaign %s: %d variants cannot be stored: the largest number is %d", c.Name, c.Total, int64(math.MaxInt64))
	}
	return nil
}

// Campaigns implements Store.
func (s *SQLite) Campaigns(ctx context.Context) (list []Campaign, err error) {
	err = s.with(ctx, "list campaigns of", func(h *handle) error {
		rows, err := h.reader.QueryContext(ctx, `SELECT id, name, spec_hash, seed, spec, total, begun FROM campaigns ORDER BY begun, key`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c Campaign
			var total, begun int64
			if err := rows.Scan(&c.ID, &c.Name, &c.SpecHash, &c.Seed, &c.Spec, &total, &begun); err != nil {
				return err
			}
			c.Total, c.Begun = uint64(total), time.UnixMicro(begun)
			list = append(list, c)
		}
		return rows.Err()
	})
	return list, err
}

// Reopen implements Store.
func (s *SQLite) Reopen(ctx context.Context, campaign string) (variants int64, err error) {
	err = s.with(ctx, "reopen failed variants in", func(h *handle) error {
		done, err := h.writer.ExecContext(ctx, `UPDATE attempts SET final = 0
			WHERE campaign = (SELECT key FROM campaigns WHERE id = ?) AND final = 1 AND succeeded = 0 AND reason <> ?`, campaign, ReasonNotSchedulable)
		if err != nil {
			return err
		}
		if variants, err = done.RowsAffected(); err != nil {
			return err
		}
		return h.sound()
	})
	return variants, err
}
