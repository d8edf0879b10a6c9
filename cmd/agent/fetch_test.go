package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const content = "a Genode image"

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func TestFetch(t *testing.T) {
	cases := map[string]struct {
		answers    []int  // statuses in turn; the last one stays
		sha256     string // default: the right one
		already    string // content of the file beforehand
		wantError  string // part of it; "" for none
		wantConfig bool   // no retry mends it
		wantTries  int32
	}{
		"a file is fetched":                  {answers: []int{200}, wantTries: 1},
		"what may pass is tried again":       {answers: []int{503, 500, 429, 200}, wantTries: 4},
		"a file that is there is left alone": {answers: []int{500}, already: content, wantTries: 0},
		"a wrong file is replaced":           {answers: []int{200}, already: "older", wantTries: 1},
		"a file that does not exist is final": {
			answers: []int{404}, wantError: "spec.qemu.boot.kernel.url", wantConfig: true, wantTries: 1},
		"a wrong hash is final": {
			answers: []int{200}, sha256: digest("other"), wantError: "spec.qemu.boot.kernel.sha256: the file at", wantConfig: true, wantTries: 1},
		"a malformed hash is found before anything is asked": {
			answers: []int{200}, sha256: "12ab", wantError: "give 64 hex digits", wantConfig: true},
		"a server that stays broken is given up": {answers: []int{500}, wantError: "given up after 8 tries", wantTries: 8},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				n := int(tries.Add(1))
				w.WriteHeader(tc.answers[min(n, len(tc.answers))-1])
				_, _ = w.Write([]byte(content))
			}))
			defer server.Close()
			dir := t.TempDir()
			var progress bytes.Buffer
			d := download{
				url: server.URL + "/image.elf", sha256: digest(content), to: filepath.Join(dir, "kernel"),
				field: "spec.qemu.boot.kernel", progress: &progress, pause: time.Microsecond, client: server.Client(),
			}
			if tc.sha256 != "" {
				d.sha256 = tc.sha256
			}
			if tc.already != "" {
				if err := os.WriteFile(d.to, []byte(tc.already), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := d.run(t.Context())
			if tc.wantError == "" && err != nil || tc.wantError != "" && (err == nil || !strings.Contains(err.Error(), tc.wantError)) {
				t.Errorf("run = %v, want %q", err, tc.wantError)
			}
			if errors.Is(err, errConfig) != tc.wantConfig {
				t.Errorf("a configuration error: %t", !tc.wantConfig)
			}
			if got := tries.Load(); got != tc.wantTries {
				t.Errorf("%d tries, want %d", got, tc.wantTries)
			}
			if tc.wantError == "" {
				if got, err := os.ReadFile(d.to); err != nil || string(got) != content {
					t.Errorf("file: %q, %v", got, err)
				}
			} else if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestADownloadThatBreaksOffIsTriedAgain(t *testing.T) {
	var tries atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tries.Add(1) == 1 {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte(content))
	}))
	defer server.Close()
	d := download{
		url: server.URL, sha256: digest(content), to: filepath.Join(t.TempDir(), "kernel"),
		field: "file", progress: &bytes.Buffer{}, pause: time.Microsecond, client: server.Client(),
	}
	if err := d.run(t.Context()); err != nil || tries.Load() != 2 {
		t.Errorf("run = %v after %d tries", err, tries.Load())
	}
}
