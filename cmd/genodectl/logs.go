package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/target/console"
)

// logsOptions say which lines of a serial log are printed, and how.
type logsOptions struct {
	serialOptions
	query      agentapi.LogQuery
	level      string
	label      string
	output     string
	timestamps bool
}

func logsCommand() *cobra.Command {
	o := &logsOptions{}
	cmd := &cobra.Command{
		Use:   "logs TARGET",
		Short: "Print what a guest has written to its serial line",
		Long: `Logs prints the serial log of a target: since the guest's newest start, as far back as the agent keeps it.

A line of Genode begins with the label of the component that wrote it, in brackets.`,
		Example: `  kubectl genode logs arm-0 -f
  kubectl genode logs lab/arm-0 --previous      # before the guest was reset or QEMU was started again
  kubectl genode logs arm-0 --level warning --label init --timestamps
  genodectl logs 127.0.0.1 --agent-credentials /tmp/agent/credentials`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			body, err := o.log(cmd.Context(), args[0], o.query)
			if err != nil {
				return err
			}
			defer body.Close()
			err = o.print(cmd.OutOrStdout(), cmd.ErrOrStderr(), body)
			if cmd.Context().Err() != nil {
				return nil // Ctrl-C is how one stops following
			}
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.query.Follow, "follow", "f", false, "go on with what comes, until Ctrl-C")
	f.BoolVarP(&o.query.Previous, "previous", "p", false, "the log from before the guest's newest start")
	f.IntVar(&o.query.Lines, "tail", -1, "print the newest `N` lines only; -1 for all")
	f.StringVar(&o.level, "level", console.LevelInfo, "print lines of this level and above: info, warning or error")
	f.StringVar(&o.label, "label", "", "print lines of components whose label begins so")
	f.BoolVar(&o.timestamps, "timestamps", false, "print when each line was complete, on the agent's clock")
	f.StringVarP(&o.output, "output", "o", "text", "text or json (JSON Lines)")
	o.serialOptions.flags(cmd)
	return cmd
}

// levels in order.
var levels = []string{console.LevelInfo, console.LevelWarning, console.LevelError}

func (o *logsOptions) check() error {
	if !slices.Contains(levels, o.level) {
		return fmt.Errorf("--level %q is not known; use %s", o.level, strings.Join(levels, ", "))
	}
	if o.output != "text" && o.output != "json" {
		return fmt.Errorf("-o: %q is not known; use text or json", o.output)
	}
	if o.query.Previous && o.query.Follow {
		return errors.New("--previous and --follow: nothing more comes to the log of a start that is over; leave one out")
	}
	return nil
}

// print prints lines until there are no more. It tells of missing ones apart.
func (o *logsOptions) print(out, log io.Writer, body io.Reader) error {
	lines := json.NewDecoder(body)
	for {
		var l agentapi.LogLine
		if err := lines.Decode(&l); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if l.Missed > 0 {
			fmt.Fprintf(log, "%d lines came faster than they could be sent, and are missing here\n", l.Missed)
		}
		if l.Entry == nil || !o.wanted(l.Entry) {
			continue
		}
		if err := o.line(out, l); err != nil {
			return err
		}
	}
}

func (o *logsOptions) wanted(e *console.Entry) bool {
	return slices.Index(levels, e.Level) >= slices.Index(levels, o.level) && strings.HasPrefix(e.Label, o.label)
}

func (o *logsOptions) line(out io.Writer, l agentapi.LogLine) error {
	if o.output == "json" {
		return json.NewEncoder(out).Encode(l)
	}
	prefix := ""
	if o.timestamps {
		prefix = l.Time.Format("2006-01-02T15:04:05.000Z07:00") + " "
	}
	if l.Label != "" {
		prefix += "[" + l.Label + "] "
	}
	_, err := fmt.Fprintf(out, "%s%s\n", prefix, l.Text)
	return err
}
