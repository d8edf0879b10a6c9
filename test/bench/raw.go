package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// rawLoop sends the variants over one raw connection to each target, with nothing around: no checks, no
// time-outs, no records. It is what any client would have to do, and so the bound for all of them.
func rawLoop(ctx context.Context, targets []session.Target, space campaign.Space, total uint64, b session.Binary) (time.Duration, error) {
	begin := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for i, t := range targets {
		group.Go(func() error {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.Address)
			if err != nil {
				return err
			}
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			for n := uint64(i); n < total; n += uint64(len(targets)) {
				if err := transact(conn, space, n, b, n == uint64(i)); err != nil {
					return fmt.Errorf("variant %d: %w", n, err)
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return time.Since(begin), err
}

// transact is one variant: description, binary the first time, start, events until the job has ended, stop.
func transact(conn net.Conn, space campaign.Space, n uint64, b session.Binary, first bool) error {
	tasks, err := space.At(n)
	if err != nil {
		return err
	}
	out := framing.AppendWords(nil, framing.Clear)
	out = framing.AppendDescription(out, taskset.Description(tasks))
	if !first {
		out = framing.AppendWords(out, framing.SendBinaries, 0)
	} else if out, err = upload(conn, out, b); err != nil {
		return err
	}
	if _, err := conn.Write(framing.AppendWords(out, framing.Start)); err != nil {
		return err
	}
	for ended := false; !ended; {
		frame, err := readFrame(conn)
		if err != nil {
			return err
		}
		ended = bytes.Contains(frame, []byte(session.EventExit))
	}
	_, err = conn.Write(framing.AppendWords(nil, framing.Stop))
	return err
}

// upload sends out and the offer of one binary, and returns the binary to be sent next.
func upload(conn net.Conn, out []byte, b session.Binary) ([]byte, error) {
	if _, err := conn.Write(framing.AppendWords(out, framing.SendBinaries, 1)); err != nil {
		return nil, err
	}
	var word [4]byte
	if _, err := io.ReadFull(conn, word[:]); err != nil {
		return nil, err
	}
	if got := framing.Word(binary.LittleEndian.Uint32(word[:])); got != framing.GoSend {
		return nil, fmt.Errorf("the target says %#x instead of GO_SEND", got)
	}
	header, err := framing.AppendBinaryHeader(nil, b.Name, len(b.Content))
	return append(header, b.Content...), err
}

func readFrame(conn net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	const largest = 1 << 20
	n := binary.LittleEndian.Uint32(size[:])
	if n > largest {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	frame := make([]byte, n)
	_, err := io.ReadFull(conn, frame)
	return frame, err
}

// counting is a listener that counts the bytes of its connections.
type counting struct {
	net.Listener
	farm *farm
}

func (l counting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return counted{conn, l.farm}, nil
}

type counted struct {
	net.Conn
	farm *farm
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.farm.received.Add(int64(n))
	return n, err
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.farm.sent.Add(int64(n))
	return n, err
}
