package results

import (
	"fmt"
	"math"
	"strings"
)

// row is a record as stores keep it: what many records have in common stands elsewhere, and the jobs are one
// value.
type row struct {
	*Record
	place place
	swept *string
	said  *string // by analysis
	jobs  string
}

// place is where attempts run. There are few of them, so that records refer to them by a key.
type place struct {
	target, address, generation, hostClass, imageDigest string
}

// rowsOf prepares records for writing, in the goroutine that wants them to be written.
func rowsOf(records []Record) ([]row, error) {
	rows := make([]row, len(records))
	for i := range records {
		r := &records[i]
		if r.Variant > math.MaxInt64 {
			return nil, fmt.Errorf("variant %d cannot be stored: the largest number is %d", r.Variant, int64(math.MaxInt64))
		}
		if dirty(r) {
			r = cleaned(r)
		}
		rows[i] = row{Record: r, place: placeOf(r), jobs: jobsText(r.Jobs)}
		if r.Values != "" {
			rows[i].swept = &r.Values
		}
		if r.Analysis != "" {
			rows[i].said = &r.Analysis
		}
	}
	return rows, nil
}

func placeOf(r *Record) place {
	return place{target: r.Target, address: r.Address, generation: r.Generation, hostClass: r.HostClass, imageDigest: r.ImageDigest}
}

// with sets the fields of a record that its place knows.
func (p *place) with(r *Record) {
	r.Target, r.Address, r.Generation, r.HostClass, r.ImageDigest = p.target, p.address, p.generation, p.hostClass, p.imageDigest
}

// dirty reports whether a text that comes from a target is none: no database takes what is not UTF-8, or has a
// byte 0.
func dirty(r *Record) bool {
	for _, s := range []string{r.Reason, r.Message, r.Generation, r.Values} {
		if clean(s) != s {
			return true
		}
	}
	for i := range r.Jobs {
		if s := r.Jobs[i].Outcome; clean(s) != s {
			return true
		}
	}
	return false
}

func cleaned(r *Record) *Record {
	c := *r
	for _, s := range []*string{&c.Reason, &c.Message, &c.Generation, &c.Values} {
		*s = clean(*s)
	}
	c.Jobs = append([]Job(nil), c.Jobs...)
	for i := range c.Jobs {
		c.Jobs[i].Outcome = clean(c.Jobs[i].Outcome)
	}
	return &c
}

func clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "�")
	}
	return strings.ToValidUTF8(s, "�")
}
