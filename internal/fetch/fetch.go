// Package fetch gets files by URL and believes in them only when their SHA-256 is the expected one.
package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// ErrPermanent marks errors that trying again will not mend.
var ErrPermanent = errors.New("trying again will not help")

// Client is used for every download: a server that stops sending is given up after a minute.
var client = &http.Client{
	Timeout: 30 * time.Minute,
	Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute,
	},
}

// To writes the file at url to w and checks its SHA-256, 64 hex digits. More than limit bytes are an
// error. What was written is worthless when it fails.
func To(ctx context.Context, url, sum string, limit int64, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", err, ErrPermanent)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		err := fmt.Errorf("the server answers %s", resp.Status)
		if resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusRequestTimeout {
			err = fmt.Errorf("%w: %w", err, ErrPermanent)
		}
		return err
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return fmt.Errorf("after %d bytes: %w", n, err)
	}
	if n > limit {
		return fmt.Errorf("the file has more than %d bytes: %w", limit, ErrPermanent)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		return fmt.Errorf("its SHA-256 is %s, want %s: correct sha256, or the file: %w", got, sum, ErrPermanent)
	}
	return nil
}

// Bytes is To into memory.
func Bytes(ctx context.Context, url, sum string, limit int64) ([]byte, error) {
	var b bytes.Buffer
	if err := To(ctx, url, sum, limit, &b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
