package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of Options.
const (
	DefaultDialTimeout    = 3 * time.Second
	DefaultCommandTimeout = 3 * time.Second
	DefaultMaxMessage     = 4 << 20
	DefaultEventBuffer    = 256
)

// Options of a Client; the zero value is usable.
type Options struct {
	// DialTimeout bounds connecting, greeting and capabilities together. 0 means DefaultDialTimeout.
	DialTimeout time.Duration
	// CommandTimeout bounds each command. 0 means DefaultCommandTimeout.
	CommandTimeout time.Duration
	// MaxMessage bounds a line of QEMU, in bytes. 0 means DefaultMaxMessage.
	MaxMessage int
	// EventBuffer is how many events are kept for a slow reader of Events; then the oldest are dropped.
	// 0 means DefaultEventBuffer.
	EventBuffer int
	// IgnoreEvents names events that nobody wants.
	IgnoreEvents []string
}

func (o *Options) setDefaults() {
	if o.DialTimeout <= 0 {
		o.DialTimeout = DefaultDialTimeout
	}
	if o.CommandTimeout <= 0 {
		o.CommandTimeout = DefaultCommandTimeout
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = DefaultMaxMessage
	}
	if o.EventBuffer <= 0 {
		o.EventBuffer = DefaultEventBuffer
	}
}

// Client is a connection to QEMU's monitor. Its methods may be called from any goroutine.
type Client struct {
	opts Options
	conn net.Conn

	writing sync.Mutex // one command on the wire at a time
	dropped atomic.Uint64
	events  chan Event    // written to and closed by read alone
	done    chan struct{} // closed when read has ended

	mu      sync.Mutex
	lastID  uint64
	pending map[uint64]chan message // each with room for its one answer
	err     error                   // why the connection ended
}

// Dial connects to the unix socket of a QMP monitor. ctx bounds the dialing only.
func Dial(ctx context.Context, socket string, opts Options) (*Client, error) {
	opts.setDefaults()
	ctx, cancel := context.WithTimeoutCause(ctx, opts.DialTimeout, ErrTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("connect to QMP: %w", err)
	}
	reader, err := greet(ctx, conn, opts.MaxMessage)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("greeting of QMP at %s: %w", socket, err)
	}
	c := &Client{
		opts:    opts,
		conn:    conn,
		events:  make(chan Event, opts.EventBuffer),
		done:    make(chan struct{}),
		pending: map[uint64]chan message{},
	}
	go c.read(reader)
	if err := c.Execute(ctx, "qmp_capabilities", nil, nil); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// greet waits for QEMU's greeting.
func greet(ctx context.Context, conn net.Conn, limit int) (*bufio.Reader, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	reader := bufio.NewReader(conn)
	line, err := readLine(reader, limit)
	if !stop() { // the deadline is set or about to be
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	m, err := parse(line)
	if err != nil {
		return nil, err
	}
	if m.Greeting == nil {
		return nil, fmt.Errorf("not QMP: %.80q instead of a greeting", line)
	}
	return reader, nil
}

// Execute sends a command and waits for its answer, which is decoded into result unless that is nil.
// Errors: *Error when QEMU refuses, ErrTimeout after Options.CommandTimeout, ErrDisconnected, ErrClosed,
// or ctx's own.
func (c *Client) Execute(ctx context.Context, command string, args, result any) error {
	answer, err := c.roundTrip(ctx, command, args)
	if err != nil {
		return fmt.Errorf("QMP %s: %w", command, err)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("QMP %s: unexpected answer: %w", command, err)
	}
	return nil
}

func (c *Client) roundTrip(ctx context.Context, command string, args any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.CommandTimeout, ErrTimeout)
	defer cancel()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	id, answer, err := c.register()
	if err != nil {
		return nil, err
	}
	defer c.forget(id)
	if err := c.send(request{Execute: command, Arguments: args, ID: id}); err != nil {
		return nil, err
	}
	select {
	case m := <-answer:
		return m.result()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.done:
	}
	select { // the answer may have come right before the end
	case m := <-answer:
		return m.result()
	default:
		return nil, c.reason()
	}
}

func (m message) result() (json.RawMessage, error) {
	if m.Error != nil {
		return nil, m.Error
	}
	return m.Return, nil
}

// register makes the place where the answer to the next command will arrive.
func (c *Client) register() (uint64, <-chan message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, nil, c.err
	}
	c.lastID++
	answer := make(chan message, 1)
	c.pending[c.lastID] = answer
	return c.lastID, answer, nil
}

func (c *Client) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// send writes a command. Half a command on the wire could not be repaired, so a failed or late write
// ends the connection.
func (c *Client) send(r request) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("arguments: %w", err)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(c.opts.CommandTimeout)) // fails on a closed connection only
	if _, err := c.conn.Write(append(b, '\n')); err != nil {
		c.end(fmt.Errorf("%w: %w", ErrDisconnected, err))
		return c.reason()
	}
	return nil
}

// Events returns the events in their order. The channel is closed when the connection ends. A reader
// that is too slow loses the oldest ones, see Dropped.
func (c *Client) Events() <-chan Event { return c.events }

// Dropped is the number of events that were lost because nobody read them.
func (c *Client) Dropped() uint64 { return c.dropped.Load() }

// Close ends the connection and waits until everything is over; a second call does nothing.
func (c *Client) Close() error {
	c.end(ErrClosed)
	<-c.done
	return nil
}

// end closes the connection; the first reason counts.
func (c *Client) end(reason error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = reason
	}
	c.mu.Unlock()
	_ = c.conn.Close() // only says that it was closed before
}

func (c *Client) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// read hands out what QEMU sends until the connection ends.
func (c *Client) read(r *bufio.Reader) {
	defer close(c.done)
	defer close(c.events)
	for {
		m, err := readMessage(r, c.opts.MaxMessage)
		if err != nil {
			c.end(fmt.Errorf("%w: %w", ErrDisconnected, err))
			return
		}
		if m.Event != "" {
			c.publish(m.event())
			continue
		}
		c.deliver(m)
	}
}

func readMessage(r *bufio.Reader, limit int) (message, error) {
	line, err := readLine(r, limit)
	if err != nil {
		return message{}, err
	}
	return parse(line)
}

// deliver hands an answer to whoever waits for it, if anybody still does.
func (c *Client) deliver(m message) {
	id, ok := m.id()
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer, ok := c.pending[id]; ok {
		delete(c.pending, id) // a second answer finds nobody
		answer <- m
	}
}

func (c *Client) publish(e Event) {
	if slices.Contains(c.opts.IgnoreEvents, e.Name) {
		return
	}
	for {
		select {
		case c.events <- e:
			return
		default:
		}
		select {
		case <-c.events:
			c.dropped.Add(1)
		default:
		}
	}
}

// IsError reports whether err is QEMU's refusal of a command, as against a broken connection.
func IsError(err error) bool {
	var e *Error
	return errors.As(err, &e)
}
