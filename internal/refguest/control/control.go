// Package control is the reference target's misbehaviour on demand: a line protocol on a TCP port of
// its own, off by default. Each line is one command; it is acknowledged before it is carried out,
// since some commands leave nobody who could.
//
//	> hang
//	< ok hang
//
// Anything that goes wrong is answered by a line that begins with "error".
package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// Machine is what the commands act on. Commands that a machine cannot do return an error.
type Machine interface {
	Hang() error              // freeze everything for good, without ending
	Crash() error             // panic and restart
	Silent() error            // vanish from the network, go on running
	Stall(on bool)            // the taskloader says nothing more; everything else goes on
	Exit() error              // power off
	Busy(n int) error         // n processes that use all the CPU they get, in place of those before
	BusyRealTime(n int) error // the same under SCHED_FIFO: above ordinary processes, below jobs
}

const (
	maxLine    = 256              // bytes of a command
	maxClients = 16               // at a time
	idle       = 10 * time.Minute // without a command, then a client is dropped
	flushTime  = 50 * time.Millisecond
)

type command struct {
	help string
	// prepare checks the arguments and returns the act.
	prepare func(args []string) (func() error, error)
}

// Server carries out commands.
type Server struct {
	log      logr.Logger
	commands map[string]command
}

// New makes a control server for m.
func New(m Machine, log logr.Logger) *Server {
	return &Server{log: log, commands: map[string]command{
		"hang":   plain("freeze the whole machine; it stays powered on", m.Hang),
		"crash":  plain("panic, then restart", m.Crash),
		"silent": plain("take the network down; the machine runs on", m.Silent),
		"stall":  plain("the taskloader says nothing more; ping answers", func() error { m.Stall(true); return nil }),
		"resume": plain("end stall", func() error { m.Stall(false); return nil }),
		"exit":   plain("power off", m.Exit),
		"busy":   {help: "busy N [fifo]: N processes that use all CPU; busy 0 ends them", prepare: busy(m)},
	}}
}

func plain(help string, act func() error) command {
	return command{help: help, prepare: func(args []string) (func() error, error) {
		if len(args) > 0 {
			return nil, errors.New("takes no argument")
		}
		return act, nil
	}}
}

func busy(m Machine) func([]string) (func() error, error) {
	return func(args []string) (func() error, error) {
		if len(args) == 0 || len(args) > 2 || len(args) == 2 && args[1] != "fifo" {
			return nil, errors.New("wants a number, and fifo if they shall be real-time: busy 2 fifo")
		}
		const most = 64
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 0 || n > most {
			return nil, fmt.Errorf("%q is no number from 0 to %d", args[0], most)
		}
		if len(args) == 2 {
			return func() error { return m.BusyRealTime(n) }, nil
		}
		return func() error { return m.Busy(n) }, nil
	}
}

// Serve answers clients from ln until ctx ends; then it closes ln and the connections and returns nil.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	var clients sync.WaitGroup
	defer clients.Wait()
	slots := make(chan struct{}, maxClients)
	for {
		slots <- struct{}{} // full: the next client waits in the backlog
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept a control connection: %w", err)
		}
		clients.Go(func() {
			defer func() { <-slots }()
			s.handle(ctx, conn)
		})
	}
}

func (s *Server) handle(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	for {
		_ = conn.SetDeadline(time.Now().Add(idle)) // fails only on a closed connection
		if !lines.Scan() {
			return
		}
		if !s.line(conn, lines.Text()) {
			return
		}
	}
}

// line carries out one command. false: the client is gone.
func (s *Server) line(conn net.Conn, text string) bool {
	words := strings.Fields(text)
	if len(words) == 0 {
		return true
	}
	if words[0] == "help" {
		return say(conn, s.help())
	}
	c, ok := s.commands[words[0]]
	if !ok {
		return say(conn, fmt.Sprintf("error unknown command %q, try help\n", words[0]))
	}
	act, err := c.prepare(words[1:])
	if err != nil {
		return say(conn, fmt.Sprintf("error %s %v\n", words[0], err))
	}
	if !say(conn, "ok "+strings.Join(words, " ")+"\n") {
		return false
	}
	time.Sleep(flushTime) // the answer leaves the machine first
	s.log.Info("Obeying the control port", "command", strings.Join(words, " "))
	if err := act(); err != nil {
		return say(conn, fmt.Sprintf("error %s: %v\n", words[0], err))
	}
	return true
}

func (s *Server) help() string {
	var b strings.Builder
	names := make([]string, 0, len(s.commands))
	for name := range s.commands {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%-8s %s\n", name, s.commands[name].help)
	}
	return b.String() + "ok help\n"
}

func say(conn net.Conn, text string) bool {
	_, err := conn.Write([]byte(text))
	return err == nil
}
