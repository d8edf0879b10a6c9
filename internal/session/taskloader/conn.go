package taskloader

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
)

// errQuiet: nothing came for as long as the caller wanted to wait. It never leaves the package.
var errQuiet = errors.New("quiet")

// forever is a wait that only ctx ends.
const forever = time.Duration(0)

// conn reads items from and writes bytes to a connection, and counts both.
type conn struct {
	net     net.Conn
	entry   *session.Entry
	timeout time.Duration
	in      framing.Splitter
	chunk   []byte      // read buffer
	log     logr.Logger // of bytes, V(6)
}

// real is the clock of deadlines: the kernel knows no other.
var real = clock.RealClock{}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// guard makes the end of ctx interrupt reads and writes at once, until release is called.
func (c *conn) guard(ctx context.Context) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = c.net.SetDeadline(past) // a closed connection is interrupted already
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// write writes everything. The deadline is renewed with each piece, so that a slow link has all the
// time that it needs as long as bytes move.
func (c *conn) write(ctx context.Context, doing string, p []byte) error {
	for len(p) > 0 {
		piece := p[:min(len(p), 32<<10)]
		err := c.net.SetWriteDeadline(real.Now().Add(c.timeout))
		if err == nil && ctx.Err() != nil {
			err = os.ErrDeadlineExceeded // ctx ended before the deadline was set
		}
		if err == nil {
			var n int
			n, err = c.net.Write(piece)
			c.entry.Sent(n)
			c.show("Sent", piece[:n])
		}
		if err != nil {
			return failure(ctx, doing, err)
		}
		p = p[len(piece):]
	}
	return nil
}

// next returns the next item. It fails with errQuiet when nothing at all comes within wait, with
// ErrTimeout when an item has begun and does not go on, and otherwise as failure says. What has come of
// an item is kept, so the call can be repeated after errQuiet and after the end of ctx.
func (c *conn) next(ctx context.Context, doing string, expect framing.Expect, wait time.Duration) (framing.Item, error) {
	for {
		item, ok, err := c.in.Next(expect)
		if err != nil {
			return item, fmt.Errorf("%s: %w: %w", doing, session.ErrGarbage, err)
		}
		if ok {
			return item, nil
		}
		pending := c.in.Pending()
		if pending > 0 {
			wait = c.timeout
		}
		if err := c.fill(ctx, wait); err != nil {
			if pending == 0 && errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
				return item, errQuiet
			}
			if pending > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			if pending > 0 {
				doing = fmt.Sprintf("%s, after %d bytes of a frame", doing, pending)
			}
			return item, failure(ctx, doing, err)
		}
	}
}

// fill reads what is there, waiting for the first byte of it.
func (c *conn) fill(ctx context.Context, wait time.Duration) error {
	deadline := time.Time{}
	if wait != forever {
		deadline = real.Now().Add(wait)
	}
	if err := c.net.SetReadDeadline(deadline); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return os.ErrDeadlineExceeded // ctx ended before the deadline was set
	}
	n, err := c.net.Read(c.chunk)
	c.entry.Received(n)
	c.in.Add(c.chunk[:n])
	c.show("Received", c.chunk[:n])
	if n > 0 {
		return nil // an error that came with the bytes comes again
	}
	return err
}

// shown is how many bytes of a block stand in the log.
const shown = 512

// show logs a block of bytes, in hexadecimal and quoted, if anybody wants to see them.
func (c *conn) show(what string, p []byte) {
	if log := c.log.V(6); log.Enabled() && len(p) > 0 {
		log.Info(what, "bytes", len(p), "hex", hex.EncodeToString(p[:min(len(p), shown)]), "text", strconv.QuoteToASCII(string(p[:min(len(p), shown)])))
	}
}
