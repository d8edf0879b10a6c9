package results

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// pgInsert takes an array for each column: one statement, one plan and one round trip for any number of rows.
// Rows that are there already, and those of variants that are settled, are left out.
const pgInsert = `INSERT INTO attempts (campaign, variant, attempt, final, succeeded, reason, message, place, after_recovery, incarnation,
	swept, started, ended, bytes_in, bytes_out, jobs, analysis)
	SELECT campaign, variant, attempt, final, succeeded, reason, message, place, after_recovery, incarnation,
	swept::json, started, ended, bytes_in, bytes_out, jobs::json, analysis::json
	FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::bool[], $5::bool[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::bigint[],
	$11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::text[], $17::text[]) WITH ORDINALITY
	AS row (campaign, variant, attempt, final, succeeded, reason, message, place, after_recovery, incarnation,
	swept, started, ended, bytes_in, bytes_out, jobs, analysis, n) ORDER BY n ON CONFLICT DO NOTHING`

// columns are rows, column by column.
type columns struct {
	campaign, variant, place, incarnation, started, ended, in, out []int64
	attempt                                                        []int32
	final, succeeded                                               []bool
	reason, message, recovery, jobs                                []string
	swept, said                                                    []*string
}

func (c *columns) add(campaign, place int64, r *row) {
	c.campaign, c.variant, c.attempt = append(c.campaign, campaign), append(c.variant, int64(r.Variant)), append(c.attempt, r.Attempt)
	c.final, c.succeeded = append(c.final, r.Final), append(c.succeeded, r.Succeeded)
	c.reason, c.message, c.jobs = append(c.reason, r.Reason), append(c.message, r.Message), append(c.jobs, r.jobs)
	c.place, c.recovery = append(c.place, place), append(c.recovery, r.AfterRecovery)
	c.incarnation, c.swept = append(c.incarnation, r.Incarnation), append(c.swept, r.swept)
	c.started, c.ended = append(c.started, r.Started.UnixMicro()), append(c.ended, r.Ended.UnixMicro())
	c.in, c.out, c.said = append(c.in, r.BytesIn), append(c.out, r.BytesOut), append(c.said, r.said)
}

func (c *columns) args() []any {
	return []any{
		c.campaign, c.variant, c.attempt, c.final, c.succeeded, c.reason, c.message, c.place, c.recovery, c.incarnation,
		c.swept, c.started, c.ended, c.in, c.out, c.jobs, c.said,
	}
}

// transact writes rows in one statement, which is a transaction of its own.
func (s *Postgres) transact(ctx context.Context, rows []row) error {
	err := s.do("write results to", func() error {
		var c columns
		for i := range rows {
			r := &rows[i]
			campaign, err := s.campaignKey(ctx, r)
			if err != nil {
				return fmt.Errorf("variant %d: %w", r.Variant, err)
			}
			place, err := s.placeKey(ctx, r.place)
			if err != nil {
				return fmt.Errorf("variant %d: %w", r.Variant, err)
			}
			c.add(campaign, place, r)
		}
		_, err := s.writes.Exec(ctx, pgInsert, c.args()...)
		return err
	})
	if err != nil { // it may be another database that is reached the next time
		clear(s.campaigns)
		clear(s.places)
	}
	return err
}

// campaignKey is the key of a record's campaign. One that nobody has begun gets a row without a spec.
func (s *Postgres) campaignKey(ctx context.Context, r *row) (int64, error) {
	key, known := s.campaigns[r.Campaign]
	if known {
		return key, nil
	}
	err := s.keyOf(ctx, &key, `SELECT key FROM campaigns WHERE id = $1`,
		`INSERT INTO campaigns (id, name, spec_hash, seed, spec, total, begun) VALUES ($1, '', '', 0, '', 0, $2) RETURNING key`,
		[]any{r.Campaign}, r.Started.UnixMicro())
	if err == nil {
		s.campaigns[r.Campaign] = key
	}
	return key, err
}

func (s *Postgres) placeKey(ctx context.Context, p place) (int64, error) {
	key, known := s.places[p]
	if known {
		return key, nil
	}
	err := s.keyOf(ctx, &key, `SELECT key FROM places WHERE (target, address, generation, host_class, image_digest) = ($1, $2, $3, $4, $5)`,
		`INSERT INTO places (target, address, generation, host_class, image_digest) VALUES ($1, $2, $3, $4, $5) RETURNING key`,
		[]any{p.target, p.address, p.generation, p.hostClass, p.imageDigest})
	if err == nil {
		s.places[p] = key
	}
	return key, err
}

// keyOf finds a row, or makes it.
func (s *Postgres) keyOf(ctx context.Context, key *int64, find, make string, args []any, more ...any) error {
	err := s.writes.QueryRow(ctx, find, args...).Scan(key)
	if errors.Is(err, pgx.ErrNoRows) {
		err = s.writes.QueryRow(ctx, make, append(args, more...)...).Scan(key)
	}
	return err
}
