package fetch

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrPending says that a download is under way.
var ErrPending = errors.New("download is under way")

// Bounds of a Background.
const (
	maxFile    = 64 << 20 // bytes of one file
	maxKept    = 64       // files that are kept in memory
	tryAgain   = 30 * time.Second
	attemptFor = 5 * time.Minute
)

// Background fetches files in goroutines of its own and keeps them in memory, by their hash. The zero
// Background works; it is safe for concurrent use.
type Background struct {
	mu    sync.Mutex
	files map[string]*file // by url and hash
	group sync.WaitGroup
	ended context.Context //nolint:containedctx // of Start: ends what is under way
}

type file struct {
	content []byte
	err     error
	at      time.Time // of err
	busy    bool
	used    time.Time
}

// Start ends every download when ctx ends, and returns when they have.
func (b *Background) Start(ctx context.Context) error {
	b.mu.Lock()
	b.ended = ctx
	b.mu.Unlock()
	<-ctx.Done()
	b.group.Wait()
	return nil
}

// Get returns the file when it is there. Otherwise it returns at once with ErrPending, or with the
// reason why it could not be had; that is tried again after half a minute.
func (b *Background) Get(url, sum string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.files == nil {
		b.files = map[string]*file{}
	}
	f := b.files[url+" "+sum]
	if f == nil {
		b.evict()
		f = &file{}
		b.files[url+" "+sum] = f
	}
	now := time.Now()
	f.used = now
	switch {
	case f.content != nil:
		return f.content, nil
	case f.busy:
		return nil, ErrPending
	case f.err != nil && now.Sub(f.at) < tryAgain:
		return nil, f.err
	}
	b.fetch(f, url, sum)
	if f.err != nil {
		return nil, f.err // the newest word, until the next one
	}
	return nil, ErrPending
}

// fetch starts a download. The caller holds b.mu.
func (b *Background) fetch(f *file, url, sum string) {
	parent := b.ended
	if parent == nil {
		parent = context.Background()
	}
	if parent.Err() != nil {
		return
	}
	f.busy = true
	b.group.Go(func() {
		ctx, cancel := context.WithTimeout(parent, attemptFor)
		defer cancel()
		content, err := Bytes(ctx, url, sum, maxFile)
		b.mu.Lock()
		defer b.mu.Unlock()
		f.busy, f.content, f.err, f.at = false, content, err, time.Now()
	})
}

// evict makes room for one more file: the one that was not asked for longest goes. The caller holds b.mu.
func (b *Background) evict() {
	if len(b.files) < maxKept {
		return
	}
	var oldest string
	for key, f := range b.files {
		if !f.busy && (oldest == "" || f.used.Before(b.files[oldest].used)) {
			oldest = key
		}
	}
	delete(b.files, oldest)
}
