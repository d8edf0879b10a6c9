package refguest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/go-logr/logr"
)

// errRebooted ends the connection after REBOOT.
var errRebooted = errors.New("rebooted by the client")

// conn reads the words of one client and handles each to its end before the next.
type conn struct {
	s   *Server
	l   *loader
	in  *bufio.Reader
	out *outbox
	log logr.Logger

	unknown int // words that nobody knows
}

func newConn(s *Server, nc net.Conn, out *outbox, log logr.Logger) *conn {
	return &conn{s: s, l: s.loader, in: bufio.NewReaderSize(nc, 64<<10), out: out, log: log}
}

// serve returns io.EOF when the client has closed between two messages.
func (c *conn) serve(ctx context.Context) error {
	for {
		word, err := readWord(c.in)
		if err != nil {
			return err
		}
		if err := c.s.gate.Pass(ctx); err != nil {
			return err
		}
		if err := c.handle(ctx, word); err != nil {
			return err
		}
	}
}

func (c *conn) handle(ctx context.Context, word uint32) error {
	switch word {
	case wordClear:
		c.log.V(flow).Info("Clearing")
		c.l.clear()
		if d := c.s.opts.ClearDelay; d > 0 {
			return c.sleep(ctx)
		}
	case wordSendDescs:
		return c.descriptions()
	case wordSendBinaries:
		return c.binaries(ctx)
	case wordStart:
		c.log.V(flow).Info("Starting")
		c.l.start()
	case wordStop:
		c.log.V(flow).Info("Stopping")
		c.l.stop()
	case wordGetProfile:
		c.l.pull()
	case wordGetLive:
		if text := c.l.live(); text != nil {
			return c.out.put(ctx, frame(text))
		}
	case wordReboot:
		return c.reboot()
	default:
		c.skip(word)
	}
	return nil
}

func (c *conn) sleep(ctx context.Context) error {
	select {
	case <-c.s.opts.Clock.After(c.s.opts.ClearDelay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// skip leaves an unknown word behind: nobody knows its length, so the next four bytes are the next word.
func (c *conn) skip(word uint32) {
	const loud = 10
	if c.unknown++; c.unknown <= loud {
		c.log.Info("Unknown message", "word", fmt.Sprintf("%#08x", word))
	}
	if c.unknown == loud {
		c.log.Info("Keeping silent about further unknown messages of this connection")
	}
}

func (c *conn) descriptions() error {
	text, err := readBody(c.in, "description", c.s.opts.MaxDescription)
	if err != nil {
		return err
	}
	n, err := c.l.describe(text)
	if err != nil {
		c.log.Info("Description ignored", "error", err.Error())
		return nil
	}
	c.log.V(flow).Info("Description taken", "tasks", n)
	return nil
}

func (c *conn) binaries(ctx context.Context) error {
	count, err := readWord(c.in)
	if err != nil {
		return fmt.Errorf("read number of binaries: %w", err)
	}
	if int64(count) > int64(c.s.opts.MaxBinaries) {
		return fmt.Errorf("%d binaries, limit %d: %w", count, c.s.opts.MaxBinaries, errTooLarge)
	}
	goSend := binary.LittleEndian.AppendUint32(nil, wordGoSend)
	for range count {
		if err := c.out.put(ctx, goSend); err != nil {
			return err
		}
		if err := c.binary(); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) binary() error {
	var header [binaryNameSize]byte
	if _, err := io.ReadFull(c.in, header[:]); err != nil {
		return fmt.Errorf("read name of binary: %w", err)
	}
	name, _, _ := bytes.Cut(header[:], []byte{0})
	content, err := readBody(c.in, "binary", c.s.opts.MaxBinary)
	if err != nil {
		return err
	}
	if err := c.l.store(&Binary{Name: string(name), Content: content}); err != nil {
		return err
	}
	c.log.V(flow).Info("Binary taken", "name", string(name), "bytes", len(content))
	return nil
}

func (c *conn) reboot() error {
	c.log.Info("Rebooting")
	if c.s.opts.Reboot != nil {
		c.s.opts.Reboot()
		return nil
	}
	c.l.reboot()
	return errRebooted
}
