package managerapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// export writes a line for each record of the store. The expression "fail" fails after the first line that
// was sent, "endless" never ends.
func (l *lab) export(format, where string) (Exporter, error) {
	if where == "]" {
		return nil, errors.New("1:1: unexpected ]")
	}
	return func(ctx context.Context, w io.Writer, c results.Campaign) error {
		err := l.store.Each(ctx, c.ID, func(r results.Record) error {
			_, err := fmt.Fprintf(w, "%s %s %d/%d\n", format, c.ID, r.Variant, r.Attempt)
			return err
		})
		line := strings.Repeat("x", 999) + "\n"
		for i := 0; err == nil && (where == "endless" || where == "fail" && i < 100); i++ {
			_, err = io.WriteString(w, line)
		}
		if where == "fail" {
			err = errors.New("the disk is gone")
		}
		return err
	}, nil
}

const sweep = "/v1/namespaces/lab/tasksets/sweep/results"

func TestResultsAreStreamed(t *testing.T) {
	l := newLab(t)
	for query, want := range map[string]struct{ contentType, text string }{
		"":              {"application/jsonl", "jsonl new 0/1\njsonl new 1/1\njsonl new 1/2\n"},
		"?format=csv":   {"text/csv; charset=utf-8", "csv new 0/1\ncsv new 1/1\ncsv new 1/2\n"},
		"?campaign=old": {"application/jsonl", ""},
	} {
		resp := l.open("one", sweep+query)
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || string(text) != want.text || resp.Header.Get("Content-Type") != want.contentType {
			t.Errorf("%q: %s, %s, %q, %v", query, resp.Status, resp.Header.Get("Content-Type"), text, err)
		}
	}
}

func TestResultsThatAreRefused(t *testing.T) {
	l := newLab(t)
	for query, tc := range map[string]struct {
		user   string
		status int
		says   string
	}{
		"?where=]":        {"nobody", 403, "forbidden"}, // who has no right learns nothing of expressions either
		"?where=%5D":      {"one", 400, "where: 1:1: unexpected ]"},
		"?format=parquet": {"one", 400, "use one of [csv jsonl mongo text]"},
		"?where=" + strings.Repeat("a", maxWhere+1): {"one", 400, "at most 4096"},
	} {
		if status, body := l.get(tc.user, sweep+query); status != tc.status || !strings.Contains(body, tc.says) {
			t.Errorf("%.30s: %d %.200s; want %d and %q", query, status, body, tc.status, tc.says)
		}
	}
}

// TestHalfAnExportIsNotTakenForAll lets the store fail when a part was sent.
func TestHalfAnExportIsNotTakenForAll(t *testing.T) {
	l := newLab(t)
	resp := l.open("one", sweep+"?where=fail")
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || resp.StatusCode != 200 || len(text) == 0 {
		t.Errorf("%s, %d bytes, then %v", resp.Status, len(text), err)
	}
	if len(l.streams) != 0 {
		t.Error("its place is not free")
	}
}

func TestAnExportThatNobodyReadsIsCutOff(t *testing.T) {
	l := newLab(t)
	l.writeTimeout = 100 * time.Millisecond
	conn, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s?where=endless HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer one\r\n\r\n", sweep)
	deadline := time.Now().Add(30 * time.Second)
	for begun := false; !begun || len(l.streams) > 0; begun = begun || len(l.streams) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the export goes on")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestExportsAreCounted(t *testing.T) {
	l := newLab(t)
	for range maxStreams {
		l.streams <- struct{}{}
	}
	if status, _ := l.get("one", sweep); status != http.StatusTooManyRequests {
		t.Errorf("status %d", status)
	}
}
