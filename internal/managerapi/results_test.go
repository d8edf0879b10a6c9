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

// broken is a store that fails after so many records of a kilobyte; never if it is negative.
type broken struct {
	results.Store
	after int
}

func (b *broken) Each(ctx context.Context, campaign string, f func(results.Record) error) error {
	r := results.Record{Campaign: campaign, Attempt: 1, Message: strings.Repeat("x", 1000)}
	for ; b.after < 0 || r.Variant < uint64(b.after); r.Variant++ {
		if err := f(r); err != nil {
			return err
		}
	}
	return errors.New("the disk is gone")
}

const sweep = "/v1/namespaces/lab/tasksets/sweep/results"

func TestResultsAreStreamed(t *testing.T) {
	l := newLab(t)
	for query, want := range map[string]struct {
		contentType string
		lines       int
		says        string
	}{
		"":                              {"application/jsonl", 3, `"SessionLost"`},
		"?where=succeeded":              {"application/jsonl", 2, `"Completed"`},
		"?format=csv":                   {"text/csv; charset=utf-8; header=present", 4, "EXIT"},
		"?format=text":                  {"text/plain; charset=utf-8", 4, "task: 0\n10 30\n"},
		"?format=mongo&where=final":     {"application/jsonl", 2, "start_date"},
		"?campaign=old":                 {"application/jsonl", 0, ""},
		"?format=csv&where=attempt%3E9": {"text/csv; charset=utf-8; header=present", 1, "variant"},
	} {
		resp := l.open("one", sweep+query)
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != want.contentType ||
			strings.Count(string(text), "\n") != want.lines || !strings.Contains(string(text), want.says) {
			t.Errorf("%q: %s, %s, %v, %q; want %+v", query, resp.Status, resp.Header.Get("Content-Type"), err, text, want)
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
		"?where=]":       {"nobody", 403, "forbidden"}, // who has no right learns nothing of expressions either
		"?where=%5D":     {"one", 400, "where: column 1"},
		"?where=variant": {"one", 400, "type"},
		"?where=values[%27nothing%27]%3D%3D%271%27": {"one", 400, "no such key"},
		"?format=parquet": {"one", 400, "use table, csv"},
		"?where=" + strings.Repeat("a", maxWhere+1): {"one", 400, "at most 4096"},
	} {
		if status, body := l.get(tc.user, sweep+query); status != tc.status || !strings.Contains(body, tc.says) {
			t.Errorf("%.30s: %d %.200s; want %d and %q", query, status, body, tc.status, tc.says)
		}
	}
}

// TestHalfAnExportIsNotTakenForAll lets the store fail before and after a part was sent.
func TestHalfAnExportIsNotTakenForAll(t *testing.T) {
	l := newLab(t)
	l.options.Store = &broken{l.store, 10}
	if status, body := l.get("one", sweep); status != 500 || strings.Contains(body, "xxx") || strings.Contains(body, "disk") {
		t.Errorf("%d %s", status, body)
	}
	l.options.Store = &broken{l.store, 1000}
	resp := l.open("one", sweep)
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || resp.StatusCode != 200 || len(text) == 0 {
		t.Errorf("%s, %d bytes, then %v", resp.Status, len(text), err)
	}
}

func TestAnExportThatNobodyReadsIsCutOff(t *testing.T) {
	l := newLab(t)
	l.writeTimeout, l.options.Store = 100*time.Millisecond, &broken{l.store, -1}
	conn, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer one\r\n\r\n", sweep)
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
