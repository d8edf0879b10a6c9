package managerapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

const (
	// maxWhere is the length of a filter, in bytes.
	maxWhere = 4096
	// exportLimit is the time for one export: while it lasts, the store cannot tidy up behind it.
	exportLimit = 30 * time.Minute
	// piece is how much of an export is sent at a time.
	piece = 32 << 10
)

// Export prepares to write the records of campaigns in a format, those for which the expression where is true
// ("" for all). An error is the caller's: it says what is wrong with the expression.
type Export func(format, where string) (Exporter, error)

// Exporter writes the records of a campaign, in bounded memory.
type Exporter func(ctx context.Context, w io.Writer, c results.Campaign) error

// contentTypes of the formats.
var contentTypes = map[string]string{
	"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl", "mongo": "application/jsonl", "text": "text/plain; charset=utf-8",
}

// results streams the records of a campaign. When it fails on the way the connection is cut, so that half of the
// records is not taken for all of them.
func (s *Server) results(w http.ResponseWriter, r *http.Request) {
	c, err := s.campaign(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	format, export, err := s.exporter(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	done, err := s.stream()
	if err != nil {
		s.fail(w, err)
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(r.Context(), exportLimit)
	defer cancel()
	w.Header().Set("Content-Type", contentTypes[format])
	out := bufio.NewWriterSize(s.patient(w), piece)
	if err = export(ctx, out, c); err == nil {
		err = out.Flush()
	}
	if err != nil {
		s.options.Log.V(2).Info("Export was cut", "campaign", c.Name, "reason", err.Error())
		panic(http.ErrAbortHandler)
	}
}

// exporter reads format and filter of a request.
func (s *Server) exporter(r *http.Request) (format string, export Exporter, err error) {
	format, where := r.URL.Query().Get("format"), r.URL.Query().Get("where")
	if format == "" {
		format = "jsonl"
	}
	if _, known := contentTypes[format]; !known {
		return "", nil, invalid(fmt.Sprintf("format=%.20q: use one of %v", format, slices.Sorted(maps.Keys(contentTypes))))
	}
	if len(where) > maxWhere {
		return "", nil, invalid(fmt.Sprintf("where has %d bytes: at most %d are read", len(where), maxWhere))
	}
	if export, err = s.options.Export(format, where); err != nil {
		return "", nil, invalid("where: " + err.Error())
	}
	return format, export, nil
}
