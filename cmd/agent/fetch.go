package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Bounds of a download.
const (
	fetchTries   = 8
	firstPause   = time.Second
	longestPause = 30 * time.Second
	headerWait   = 30 * time.Second
	stallWait    = time.Minute // without a byte
	progressStep = 5 * time.Second
)

var sha256Digits = regexp.MustCompile(`^[0-9a-f]{64}$`)

// download is one file to fetch.
type download struct {
	url, sha256, to, field string

	progress io.Writer
	pause    time.Duration // before the second try; doubles
	client   *http.Client
}

func fetchCommand() *cobra.Command {
	d := download{pause: firstPause}
	cmd := &cobra.Command{
		Use:     "fetch --url URL --sha256 DIGITS --to FILE",
		Short:   "Download a file and check it",
		Long:    "Fetch downloads a file, retries what may pass, checks its SHA-256, and moves it into place only then. A file that is there already and has that SHA-256 is left alone.",
		Example: "  agent fetch --url https://example.org/image.elf --sha256 9f86d0…0a08 --to /fetched/kernel",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.progress = cmd.ErrOrStderr()
			transport := http.DefaultTransport.(*http.Transport).Clone()
			transport.ResponseHeaderTimeout = headerWait
			defer transport.CloseIdleConnections()
			d.client = &http.Client{Transport: transport}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&d.url, "url", "", "http or https address (required)")
	cmd.Flags().StringVar(&d.sha256, "sha256", "", "expected SHA-256, 64 hex digits (required)")
	cmd.Flags().StringVar(&d.to, "to", "", "where the file goes (required)")
	cmd.Flags().StringVar(&d.field, "field", "file", "field of the TargetSession, for messages")
	for _, name := range []string{"url", "sha256", "to"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return cmd
}

// run fetches the file. Errors that no retry mends are configErrors; all name the field.
func (d download) run(ctx context.Context) error {
	d.sha256 = strings.ToLower(d.sha256)
	if !sha256Digits.MatchString(d.sha256) {
		return configError{fmt.Errorf("%s.sha256 %q: give 64 hex digits, as printed by sha256sum", d.field, d.sha256)}
	}
	if d.present() {
		fmt.Fprintf(d.progress, "%s is there already\n", d.to)
		return nil
	}
	for try := 1; ; try++ {
		err := d.try(ctx)
		if err == nil || errors.Is(err, errConfig) || ctx.Err() != nil {
			return err
		}
		if try == fetchTries {
			return fmt.Errorf("%s.url %s: given up after %d tries: %w", d.field, d.url, try, err)
		}
		pause := min(d.pause<<(try-1), longestPause)
		fmt.Fprintf(d.progress, "try %d of %d: %v; again in %s\n", try, fetchTries, err, pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// present is true when the file is there and right.
func (d download) present() bool {
	f, err := os.Open(d.to)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return err == nil && hex.EncodeToString(sum.Sum(nil)) == d.sha256
}

// try downloads into a temporary file beside the place of the file, and moves it there when it is right.
func (d download) try(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	response, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	part, err := os.CreateTemp(filepath.Dir(d.to), ".fetch-*")
	if err != nil {
		return fmt.Errorf("%s: %w", d.field, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part.Name())
		}
	}()
	stall := time.AfterFunc(stallWait, func() { cancel(fmt.Errorf("no byte came for %s", stallWait)) })
	defer stall.Stop()
	sum := sha256.New()
	meter := &meter{out: d.progress, total: response.ContentLength, begun: time.Now(), alive: func() { stall.Reset(stallWait) }}
	_, err = io.Copy(io.MultiWriter(part, sum, meter), response.Body)
	if closed := part.Close(); err == nil {
		err = closed
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("download: %w", err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != d.sha256 {
		return configError{fmt.Errorf("%s.sha256: the file at %s has %s, not %s", d.field, d.url, got, d.sha256)}
	}
	if err := os.Chmod(part.Name(), 0o644); err != nil {
		return fmt.Errorf("%s: %w", d.field, err)
	}
	if err := os.Rename(part.Name(), d.to); err != nil {
		return fmt.Errorf("%s: %w", d.field, err)
	}
	fmt.Fprintf(d.progress, "%s: %d bytes, SHA-256 is right\n", d.to, meter.done)
	return nil
}

// open asks for the file. An answer that says that it is not there is final.
func (d download) open(ctx context.Context) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, http.NoBody)
	if err != nil {
		return nil, configError{fmt.Errorf("%s.url: %w", d.field, err)}
	}
	response, err := d.client.Do(request)
	if err != nil {
		return nil, err
	}
	switch code := response.StatusCode; {
	case code == http.StatusOK:
		return response, nil
	case code/100 == 4 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		err = configError{fmt.Errorf("%s.url %s: the server answers %s", d.field, d.url, response.Status)}
	default:
		err = fmt.Errorf("the server answers %s", response.Status)
	}
	_ = response.Body.Close()
	return nil, err
}

// meter prints how far a download is, now and then.
type meter struct {
	out         io.Writer
	total, done int64
	begun, told time.Time
	alive       func()
}

func (m *meter) Write(p []byte) (int, error) {
	m.done += int64(len(p))
	m.alive()
	now := time.Now()
	if now.Sub(m.begun) >= progressStep && now.Sub(m.told) >= progressStep {
		m.told = now
		of := ""
		if m.total > 0 {
			of = fmt.Sprintf(" of %.1f", float64(m.total)/(1<<20))
		}
		fmt.Fprintf(m.out, "%.1f%s MiB\n", float64(m.done)/(1<<20), of)
	}
	return len(p), nil
}
