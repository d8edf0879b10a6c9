package sink

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
)

// OpenFan opens the sinks that texts name, as Open does, and makes a Fan of them. In the log they are called as
// in the texts, without what may be secret in a URL.
func OpenFan(ctx context.Context, texts []string, stdout io.Writer, log logr.Logger, c clock.Clock) (*Fan, error) {
	sinks := map[string]Sink{}
	for _, text := range texts {
		name := publicName(text)
		s, err := Open(ctx, text, stdout)
		if _, twice := sinks[name]; err == nil && twice {
			_ = s.Close() // nothing was written
			err = fmt.Errorf("sink %s is named twice; once is enough", name)
		}
		if err != nil {
			for _, opened := range sinks {
				_ = opened.Close() // the other error is the one to tell
			}
			return nil, err
		}
		sinks[name] = s
	}
	return NewFan(log, c, sinks), nil
}

// publicName is a text without user, password and options of its URL.
func publicName(text string) string {
	kind, where, _ := strings.Cut(text, ":")
	if strings.HasPrefix(where, "//") {
		where = text
	}
	if !strings.Contains(where, "://") {
		return text // a file, or nothing
	}
	u, err := url.Parse(where)
	if err != nil {
		return kind
	}
	public := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if where == text {
		return public.String()
	}
	return kind + ":" + public.String()
}
