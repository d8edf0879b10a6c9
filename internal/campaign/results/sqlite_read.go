package results

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Each implements Store. Memory does not grow with the campaign.
func (s *SQLite) Each(ctx context.Context, campaign string, f func(Record) error) error {
	var stopped error // by f, whose errors are not the store's
	err := s.with(ctx, "read results from", func(h *handle) error {
		var err error
		stopped, err = h.each(ctx, campaign, f)
		return err
	})
	return errors.Join(stopped, err)
}

func (h *handle) each(ctx context.Context, campaign string, f func(Record) error) (stopped, err error) {
	var key int64
	err = h.reader.QueryRowContext(ctx, `SELECT key FROM campaigns WHERE id = ?`, campaign).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := h.reader.QueryContext(ctx, `SELECT variant, attempt, final, succeeded, reason, message, place, after_recovery, incarnation, swept,
		started, ended, bytes_in, bytes_out, jobs, analysis FROM attempts WHERE seq BETWEEN ? AND ? ORDER BY seq`, key<<seqBits, (key+1)<<seqBits-1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	p := parser{names: names{}, places: map[int64]place{}, find: func(key int64) (place, error) { return h.placeOf(ctx, key) }}
	for rows.Next() {
		r := Record{Campaign: campaign}
		if err := p.scan(rows, &r); err != nil {
			return nil, err
		}
		if err := f(r); err != nil {
			return err, nil
		}
	}
	return nil, rows.Err()
}

func (h *handle) placeOf(ctx context.Context, key int64) (p place, err error) {
	err = h.reader.QueryRowContext(ctx, `SELECT target, address, generation, host_class, image_digest FROM places WHERE key = ?`, key).
		Scan(&p.target, &p.address, &p.generation, &p.hostClass, &p.imageDigest)
	return p, err
}

// parser makes records of rows.
type parser struct {
	names  names
	places map[int64]place
	find   func(key int64) (place, error)
}

// scan reads the columns variant, attempt, final, succeeded, reason, message, place, after_recovery,
// incarnation, swept, started, ended, bytes_in, bytes_out, jobs and analysis.
func (p *parser) scan(rows interface{ Scan(...any) error }, r *Record) error {
	var variant, key, started, ended int64
	var reason, recovery, jobs string
	var swept, said *string
	if err := rows.Scan(&variant, &r.Attempt, &r.Final, &r.Succeeded, &reason, &r.Message, &key, &recovery, &r.Incarnation, &swept,
		&started, &ended, &r.BytesIn, &r.BytesOut, &jobs, &said); err != nil {
		return err
	}
	at, known := p.places[key]
	if !known {
		var err error
		if at, err = p.find(key); err != nil {
			return fmt.Errorf("place %d of variant %d: %w", key, variant, err)
		}
		p.places[key] = at
	}
	at.with(r)
	r.Variant, r.Reason, r.AfterRecovery = uint64(variant), p.names.of(reason), p.names.of(recovery)
	r.Started, r.Ended = time.UnixMicro(started), time.UnixMicro(ended)
	if swept != nil {
		r.Values = *swept
	}
	if said != nil {
		r.Analysis = p.names.of(*said)
	}
	var err error
	if r.Jobs, err = jobsOf(jobs, p.names); err != nil {
		return fmt.Errorf("variant %d: %w", variant, err)
	}
	return nil
}
