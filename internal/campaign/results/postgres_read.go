package results

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Each implements Store. Memory does not grow with the campaign.
func (s *Postgres) Each(ctx context.Context, campaign string, f func(Record) error) error {
	var stopped error // by f, whose errors are not the store's
	err := s.do("read results from", func() error {
		var err error
		stopped, err = s.each(ctx, campaign, f)
		return err
	})
	return errors.Join(stopped, err)
}

// each reads places and attempts of one moment, so that every place is known.
func (s *Postgres) each(ctx context.Context, campaign string, f func(Record) error) (stopped, err error) {
	moment := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, s.reads, moment, func(tx pgx.Tx) error {
		p := parser{names: names{}, places: map[int64]place{}, find: noPlace}
		if err := p.readPlaces(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT variant, attempt, final, succeeded, reason, message, place, after_recovery, incarnation, swept::text,
			started, ended, bytes_in, bytes_out, jobs::text, analysis::text FROM attempts WHERE campaign = (SELECT key FROM campaigns WHERE id = $1) ORDER BY seq`, campaign)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r := Record{Campaign: campaign}
			if err := p.scan(rows, &r); err != nil {
				return err
			}
			if stopped = f(r); stopped != nil {
				return nil
			}
		}
		return rows.Err()
	})
	return stopped, err
}

func noPlace(int64) (place, error) { return place{}, errors.New("there is no such place") }

// readPlaces reads all of them; they are few.
func (p *parser) readPlaces(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `SELECT key, target, address, generation, host_class, image_digest FROM places`)
	if err != nil {
		return err
	}
	var key int64
	var at place
	_, err = pgx.ForEachRow(rows, []any{&key, &at.target, &at.address, &at.generation, &at.hostClass, &at.imageDigest}, func() error {
		p.places[key] = at
		return nil
	})
	return err
}

// Begin implements Store.
func (s *Postgres) Begin(ctx context.Context, c Campaign) error {
	if err := checkCampaign(c); err != nil {
		return err
	}
	return s.do("begin campaign "+c.Name+" in", func() error {
		// A campaign whose records came before it has no hash yet.
		if _, err := s.writes.Exec(ctx, `INSERT INTO campaigns (id, name, spec_hash, seed, spec, total, begun) VALUES ($1,$2,$3,$4,$5,$6,$7)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, spec_hash = excluded.spec_hash, seed = excluded.seed,
			spec = excluded.spec, total = excluded.total WHERE campaigns.spec_hash = ''`,
			c.ID, c.Name, c.SpecHash, c.Seed, string(c.Spec), int64(c.Total), c.Begun.UnixMicro()); err != nil {
			return err
		}
		var hash string
		if err := s.writes.QueryRow(ctx, `SELECT spec_hash FROM campaigns WHERE id = $1`, c.ID).Scan(&hash); err != nil {
			return err
		}
		if hash != c.SpecHash {
			return fmt.Errorf("it is there with another spec: %w", ErrOtherSpec)
		}
		return nil
	})
}

// Campaigns implements Store.
func (s *Postgres) Campaigns(ctx context.Context) (list []Campaign, err error) {
	err = s.do("list campaigns of", func() error {
		rows, err := s.reads.Query(ctx, `SELECT id, name, spec_hash, seed, spec, total, begun FROM campaigns ORDER BY begun, key`)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Campaign, err error) {
			var total, begun int64
			var spec string
			err = row.Scan(&c.ID, &c.Name, &c.SpecHash, &c.Seed, &spec, &total, &begun)
			c.Spec, c.Total, c.Begun = []byte(spec), uint64(total), time.UnixMicro(begun)
			return c, err
		})
		return err
	})
	return list, err
}

// Reopen implements Store.
func (s *Postgres) Reopen(ctx context.Context, campaign string) (variants int64, err error) {
	err = s.do("reopen failed variants in", func() error {
		done, err := s.writes.Exec(ctx, `UPDATE attempts SET final = false
			WHERE campaign = (SELECT key FROM campaigns WHERE id = $1) AND final AND NOT succeeded AND reason <> $2`, campaign, ReasonNotSchedulable)
		variants = done.RowsAffected()
		return err
	})
	return variants, err
}
