package results

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	maxBatch   = 1024             // records that share one transaction, unless one Put has more
	maxWriting = 30 * time.Second // for one transaction, lock waits included
)

// ErrClosed is returned by calls after Close.
var ErrClosed = errors.New("results store is closed")

// committer writes rows durably. Concurrent Puts share transactions: while one is flushed to the disk the next
// one fills up (group commit).
type committer struct {
	queue chan put
	done  chan struct{} // closed by close
	ended chan struct{} // closed when nothing is written any more
	once  sync.Once
	// transact writes rows in one transaction; rows that are there already stay as they are.
	transact func(context.Context, []row) error
	// ownFault reports whether a transaction failed because of what one of its rows holds.
	ownFault func(error) bool
}

type put struct {
	rows   []row
	answer chan error
}

func newCommitter(transact func(context.Context, []row) error, ownFault func(error) bool) *committer {
	c := &committer{queue: make(chan put), done: make(chan struct{}), ended: make(chan struct{}), transact: transact, ownFault: ownFault}
	go c.run()
	return c
}

// put implements Store.Put.
func (c *committer) put(ctx context.Context, records []Record) error {
	rows, err := rowsOf(records)
	if err != nil || len(rows) == 0 {
		return err
	}
	p := put{rows: rows, answer: make(chan error, 1)}
	select {
	case <-c.done:
		return ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c.queue <- p:
	case <-c.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return <-p.answer // bounded: the writer always answers
}

// close waits for what is being written.
func (c *committer) close() {
	c.once.Do(func() { close(c.done) })
	<-c.ended
}

// run is the only writer: it takes whatever waits and commits it in one transaction.
func (c *committer) run() {
	defer close(c.ended)
	for {
		select {
		case p := <-c.queue:
			c.commit(c.fill(p))
		case <-c.done:
			return
		}
	}
}

// fill adds to a put what waits behind it.
func (c *committer) fill(p put) []put {
	batch, n := []put{p}, len(p.rows)
	for n < maxBatch {
		select {
		case p := <-c.queue:
			batch, n = append(batch, p), n+len(p.rows)
		default:
			return batch
		}
	}
	return batch
}

// commit answers every put of the batch. When what one of them holds fails the shared transaction each put gets
// its own, so that one bad record does not fail its neighbours.
func (c *committer) commit(batch []put) {
	all := batch[0].rows
	if len(batch) > 1 {
		all = nil
		for _, p := range batch {
			all = append(all, p.rows...)
		}
	}
	err := c.bounded(all)
	apart := err != nil && len(batch) > 1 && c.ownFault(err)
	for _, p := range batch {
		if apart {
			err = c.bounded(p.rows)
		}
		p.answer <- err
	}
}

func (c *committer) bounded(rows []row) error {
	ctx, cancel := context.WithTimeout(context.Background(), maxWriting)
	defer cancel()
	return c.transact(ctx, rows)
}
