package managerapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
)

const (
	// maxWhere is the length of a filter, in bytes.
	maxWhere = 4096
	// exportLimit is the time for one export: while it lasts, the store cannot tidy up behind it.
	exportLimit = 30 * time.Minute
	// firstPiece is how much of an export has to be there before it is sent.
	firstPiece = 128 << 10
)

// results streams the records of a campaign. What fails before the first piece was sent is answered as an error;
// what fails later cuts the connection, so that half of the records is not taken for all of them.
func (s *Server) results(w http.ResponseWriter, r *http.Request) {
	c, err := s.campaign(r)
	if err != nil {
		s.fail(w, err)
		return
	}
	format, filter, err := wanted(r)
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
	w.Header().Set("Content-Type", format.ContentType())
	out := &patient{ResponseWriter: w, timeout: s.writeTimeout}
	held := bufio.NewWriterSize(out, firstPiece)
	hidden := struct{ io.Writer }{held} // bufio would take it for a buffer of the export's own, and flush it
	err = export.Write(ctx, hidden, format, s.options.Store, c, filter)
	if err == nil {
		err = held.Flush()
	}
	switch {
	case err == nil:
	case out.begun:
		s.options.Log.V(2).Info("Export was cut", "campaign", c.Name, "reason", err.Error())
		panic(http.ErrAbortHandler)
	case filter != nil && ctx.Err() == nil:
		s.fail(w, invalid(err.Error())) // most likely it asks for what a record does not have
	default:
		s.fail(w, err)
	}
}

// wanted reads format and filter of a request.
func wanted(r *http.Request) (export.Format, *export.Filter, error) {
	name, where := r.URL.Query().Get("format"), r.URL.Query().Get("where")
	if name == "" {
		name = string(export.JSONL)
	}
	format, err := export.ParseFormat(name)
	if err != nil {
		return "", nil, invalid(err.Error())
	}
	if len(where) > maxWhere {
		return "", nil, invalid(fmt.Sprintf("where has %d bytes: at most %d are read", len(where), maxWhere))
	}
	filter, err := export.Compile(where)
	if err != nil {
		return "", nil, invalid("where: " + err.Error())
	}
	return format, filter, nil
}
