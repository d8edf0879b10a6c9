package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func server(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(func() { client.CloseIdleConnections(); s.Close() })
	return s.URL
}

func TestBytes(t *testing.T) {
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/file":
			_, _ = w.Write([]byte("hello"))
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("hello"))
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	cases := map[string]struct {
		path, sum string
		limit     int64
		wantErr   string
		permanent bool
	}{
		"the right file":              {path: "/file", sum: sum("hello"), limit: 5},
		"another file than expected":  {path: "/file", sum: sum("other"), limit: 5, wantErr: "its SHA-256 is " + sum("hello"), permanent: true},
		"a file that is too large":    {path: "/file", sum: sum("hello"), limit: 4, wantErr: "more than 4 bytes", permanent: true},
		"a file that is not there":    {path: "/none", sum: sum("hello"), limit: 5, wantErr: "404", permanent: true},
		"a server that is busy":       {path: "/busy", sum: sum("hello"), limit: 5, wantErr: "503"},
		"a connection that is cut":    {path: "/cut", sum: sum("hello"), limit: 500, wantErr: "after 5 bytes"},
		"an address that is nonsense": {path: "\x7f", sum: sum("hello"), limit: 5, wantErr: "invalid", permanent: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Bytes(t.Context(), url+tc.path, tc.sum, tc.limit)
			if tc.wantErr == "" {
				if err != nil || string(got) != "hello" {
					t.Fatalf("got %q, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.wantErr) || errors.Is(err, ErrPermanent) != tc.permanent {
				t.Errorf("error %v (permanent %v), want one with %q, permanent %v", err, errors.Is(err, ErrPermanent), tc.wantErr, tc.permanent)
			}
		})
	}
}

func TestBackgroundNeverBlocks(t *testing.T) {
	release := make(chan struct{})
	url := server(t, func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = w.Write([]byte("hello"))
	})
	var b Background
	if _, err := b.Get(url, sum("hello")); !errors.Is(err, ErrPending) {
		t.Fatalf("first Get: %v, want ErrPending", err)
	}
	close(release)
	deadline := time.After(10 * time.Second)
	for {
		got, err := b.Get(url, sum("hello"))
		if err == nil {
			if string(got) != "hello" {
				t.Fatalf("got %q", got)
			}
			return
		}
		if !errors.Is(err, ErrPending) {
			t.Fatal(err)
		}
		select {
		case <-deadline:
			t.Fatal("never finished")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestBackgroundKeepsABoundedNumberOfFiles(t *testing.T) {
	url := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	var b Background
	for i := range maxKept + 5 {
		_, _ = b.Get(url, sum(strings.Repeat("x", i)))
		b.group.Wait()
	}
	if len(b.files) > maxKept {
		t.Errorf("%d files are kept, want at most %d", len(b.files), maxKept)
	}
}
