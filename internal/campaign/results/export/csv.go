package export

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// sheet is the format CSV: RFC 4180 with a head. Times of day are UTC; what is unknown is empty.
type sheet struct {
	w   *csv.Writer
	row []string
}

var columns = []string{
	"campaign", "variant", "attempt", "final", "succeeded", "reason", "message", "target", "address", "generation", "host_class", "image_digest",
	"after_recovery", "incarnation", "values", "started", "ended", "bytes_in", "bytes_out", "analysis",
	"task", "job", "start_ms", "end_ms", "response_ms", "outcome", "released_ms",
}

// timeLayout has microseconds, which is what the store has.
const timeLayout = "2006-01-02T15:04:05.000000Z"

func newSheet(w io.Writer) *sheet { return &sheet{w: csv.NewWriter(w)} }

func (s *sheet) head() error { return s.line(columns) }
func (s *sheet) tail() error { return nil }

func (s *sheet) line(row []string) error {
	if err := s.w.Write(row); err != nil {
		return err
	}
	s.w.Flush()
	return s.w.Error()
}

func (s *sheet) entry(e Entry) error {
	s.row = appendRecord(s.row[:0], e.Record)
	if len(e.Record.Jobs) == 0 {
		return s.line(append(s.row, "", "", "", "", "", "", ""))
	}
	for _, j := range e.Record.Jobs {
		response := ""
		if ms, known := j.Response(); known {
			response = strconv.FormatInt(ms, 10)
		}
		if err := s.line(append(s.row, j.Task, strconv.Itoa(int(j.Number)), stamp(j.Start, ""), stamp(j.End, ""), response, j.Outcome, stamp(j.Released, ""))); err != nil {
			return err
		}
	}
	return nil
}

func appendRecord(row []string, r *results.Record) []string {
	return append(row, r.Campaign, strconv.FormatUint(r.Variant, 10), strconv.Itoa(int(r.Attempt)),
		strconv.FormatBool(r.Final), strconv.FormatBool(r.Succeeded), r.Reason, r.Message, r.Target, r.Address, r.Generation,
		r.HostClass, r.ImageDigest, r.AfterRecovery, strconv.FormatInt(r.Incarnation, 10), r.Values, clock(r.Started), clock(r.Ended),
		strconv.FormatInt(r.BytesIn, 10), strconv.FormatInt(r.BytesOut, 10), r.Analysis)
}

func clock(t time.Time) string { return t.UTC().Format(timeLayout) }

// stamp is one of a target's clock, or what stands for an unknown one.
func stamp(ms *int64, unknown string) string {
	if ms == nil {
		return unknown
	}
	return strconv.FormatInt(*ms, 10)
}
