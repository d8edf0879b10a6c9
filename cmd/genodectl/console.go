package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
	"github.com/genode-operator/genode-operator/internal/target/console/web"
)

// consoleOptions say how one wants to be attached.
type consoleOptions struct {
	serialOptions
	line            string
	readOnly, steal bool
	backlog         int
	detach          string
}

func consoleCommand() *cobra.Command {
	o := &consoleOptions{}
	cmd := &cobra.Command{
		Use:   "console TARGET",
		Short: "Attach the terminal to the serial line of a guest",
		Long: `Console attaches the terminal to the serial line of a guest: what it printed before is shown, and what is typed goes
to it. One client types at a time; another one waits for its turn, takes the line away with --steal, or only
reads. Ctrl-] detaches; the guest runs on.`,
		Example: `  kubectl genode console arm-0
  kubectl genode console lab/arm-0 --read-only
  echo help | kubectl genode console arm-0 --steal      # goes on reading after the end of the input, until Ctrl-C
  genodectl console 127.0.0.1 --agent-credentials /tmp/agent/credentials`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.line, "line", "0", "name of the serial line")
	f.BoolVar(&o.readOnly, "read-only", false, "do not type, only read")
	f.BoolVar(&o.steal, "steal", false, "take the line away from who types now; that one goes on reading")
	f.IntVar(&o.backlog, "backlog", -1, "show the newest `BYTES` of earlier output only; -1 for all that is kept")
	f.StringVar(&o.detach, "detach-key", "ctrl-]", "key that detaches: ctrl- and a letter or one of [ \\ ] ^ _; none for no key")
	o.serialOptions.flags(cmd)
	return cmd
}

// errDetached ends a console by its key.
var errDetached = errors.New("detached")

func (o *consoleOptions) run(ctx context.Context, target string, out, log io.Writer) error {
	key, err := controlKey(o.detach)
	if err != nil {
		return err
	}
	if o.readOnly && o.steal {
		return errors.New("--read-only and --steal: who only reads takes nothing away; leave one out")
	}
	request := desk.Request{Line: o.line, Access: share.Write, Backlog: o.backlog}
	switch {
	case o.readOnly:
		request.Access = share.Read
	case o.steal:
		request.Access = share.Steal
	}
	conn, err := o.console(ctx, target, request)
	if err != nil {
		return err
	}
	t := &attached{conn: conn, target: target, key: key, detach: o.detach, out: out, log: log}
	leave := t.raw(os.Stdin)
	err = t.attend(ctx, os.Stdin)
	leave()
	_ = conn.Close() // it is over in any case
	switch {
	case errors.Is(err, errDetached), ctx.Err() != nil:
		fmt.Fprintf(log, "\ndetached from %s\n", target)
		return nil
	case errors.Is(err, io.EOF):
		return errors.New("the agent has ended the connection")
	}
	return err
}

// noKey is the detach key of who wants none.
const noKey = -1

// controlKey is the byte that a terminal sends for the key.
func controlKey(name string) (int, error) {
	if name == "none" {
		return noKey, nil
	}
	letter, found := strings.CutPrefix(strings.ToLower(name), "ctrl-")
	if found && len(letter) == 1 && strings.Contains("abcdefghijklmnopqrstuvwxyz[\\]^_", letter) {
		return int(strings.ToUpper(letter)[0]) - '@', nil
	}
	return 0, fmt.Errorf("--detach-key %q: give ctrl- and a letter or one of [ \\ ] ^ _, for example ctrl-a, or none", name)
}

// attached is a terminal that is attached to a serial line.
type attached struct {
	conn           *web.Conn
	target, detach string
	key            int
	out, log       io.Writer
	terminal       int // descriptor; valid if interactive
	interactive    bool
}

// raw hands every key to us, if in is a terminal; the function undoes that.
func (t *attached) raw(in *os.File) (leave func()) {
	if t.terminal = int(in.Fd()); !term.IsTerminal(t.terminal) {
		return func() {}
	}
	before, err := term.MakeRaw(t.terminal)
	if err != nil {
		return func() {}
	}
	t.interactive = true
	return func() { _ = term.Restore(t.terminal, before) }
}

// attend moves bytes both ways until the key is pressed, the connection ends, or ctx does. A reader of the
// keyboard stays behind: nothing ends that but the end of the program.
func (t *attached) attend(ctx context.Context, in io.Reader) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if err := t.typed(ctx, in); err != nil {
			cancel(err)
		}
	}()
	if t.interactive {
		sizes := make(chan os.Signal, 1)
		signal.Notify(sizes, syscall.SIGWINCH)
		defer signal.Stop(sizes)
		go t.resize(ctx, sizes)
	}
	err := t.shown(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// typed sends what is typed, up to the detach key. The end of the input ends nothing.
func (t *attached) typed(ctx context.Context, in io.Reader) error {
	buffer := make([]byte, 4<<10)
	for {
		n, err := in.Read(buffer)
		keys, pressed := t.until(buffer[:n])
		if len(keys) > 0 {
			if err := t.conn.Write(ctx, keys); err != nil {
				return err
			}
		}
		if pressed {
			return errDetached
		}
		if err != nil {
			return nil
		}
	}
}

// until cuts what was typed at the detach key, which is one on terminals only.
func (t *attached) until(typed []byte) (before []byte, pressed bool) {
	if !t.interactive || t.key == noKey {
		return typed, false
	}
	for i, b := range typed {
		if int(b) == t.key {
			return typed[:i], true
		}
	}
	return typed, false
}

func (t *attached) resize(ctx context.Context, sizes <-chan os.Signal) {
	for {
		t.tellSize(ctx)
		select {
		case <-ctx.Done():
			return
		case <-sizes:
		}
	}
}

func (t *attached) tellSize(ctx context.Context) {
	if columns, rows, err := term.GetSize(t.terminal); err == nil {
		_ = t.conn.Resize(ctx, uint16(columns), uint16(rows)) // a console that is gone shows elsewhere
	}
}

// shown prints what the guest prints, and says what else happens.
func (t *attached) shown(ctx context.Context) error {
	for {
		data, notice, err := t.conn.Read(ctx)
		if err != nil {
			return err
		}
		if len(data) > 0 {
			if _, err := t.out.Write(data); err != nil {
				return err
			}
			continue
		}
		if notice.Event == share.NoticeConnected && t.interactive {
			t.tellSize(ctx)
		}
		if text := t.say(notice); text != "" {
			fmt.Fprintf(t.log, "\r\n[%s]\r\n", text)
		}
	}
}

// say puts a notice in words; "" for those that need none.
func (t *attached) say(n share.Notice) string {
	switch n.Event {
	case share.NoticeConnected:
		text := fmt.Sprintf("connected to serial line %s of %s", n.Line, t.target)
		if n.Access == share.Read {
			text += ", for reading"
		}
		if t.interactive && t.key != noKey {
			text += "; " + t.detach + " detaches"
		}
		return text
	case share.NoticeWaiting:
		return n.By + " types; this terminal waits for its turn: --steal takes it, --read-only does without"
	case share.NoticeWriterLost:
		return n.By + " has taken the line; this terminal goes on reading"
	case share.NoticeSkipped:
		return fmt.Sprintf("%d bytes came faster than they could be sent, and are missing here", n.Skipped)
	case share.NoticeRestarted:
		return "the guest was started anew"
	case share.NoticeClosed:
		return "closed: " + n.Reason
	}
	return ""
}
