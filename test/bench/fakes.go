package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// fakesCommand is the process that holds fake targets, so that what the engine costs can be told from what they
// cost. It answers each line of standard input with one line, and ends when there are no more.
func fakesCommand() *cobra.Command {
	var n int
	var job int64
	cmd := &cobra.Command{
		Use: "fakes", Hidden: true, Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return holdFakes(n, job, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().IntVar(&n, "targets", 1, "number of targets, each with an address of its own")
	cmd.Flags().Int64Var(&job, "job", 0, "milliseconds of each job")
	return cmd
}

// order is what the fakes are told to do: to the first Count of them.
type order struct {
	Do    string `json:"do"` // drop (with a reset), hang, thaw
	Count int    `json:"count"`
}

// outcome is the answer: when it was done to each of them, and once at the start where they listen.
type outcome struct {
	At        []time.Time `json:"at,omitempty"`
	Addresses []string    `json:"addresses,omitempty"`
}

func holdFakes(n int, job int64, in io.Reader, out io.Writer) error {
	var targets []*faketarget.Target
	defer func() {
		for _, t := range targets {
			t.Close()
		}
	}()
	say := json.NewEncoder(out)
	var hello outcome
	for i := range n {
		t, err := faketarget.Start(faketarget.Options{
			Quiet: true, Job: faketarget.Takes(job), Address: fmt.Sprintf("127.0.%d.%d:0", 1+i/250, 1+i%250),
		})
		if err != nil {
			return err
		}
		targets, hello.Addresses = append(targets, t), append(hello.Addresses, t.Address())
	}
	if err := say.Encode(hello); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		done, err := obey(o, targets)
		if err != nil {
			return err
		}
		if err := say.Encode(done); err != nil {
			return err
		}
	}
	return nil
}

func obey(o order, targets []*faketarget.Target) (outcome, error) {
	if o.Count > len(targets) {
		return outcome{}, fmt.Errorf("there are %d targets, not %d", len(targets), o.Count)
	}
	var done outcome
	for _, t := range targets[:o.Count] {
		done.At = append(done.At, time.Now())
		switch o.Do {
		case "drop":
			t.Drop(true)
		case "hang":
			t.Hang()
		case "thaw":
			t.Thaw()
		default:
			return outcome{}, errors.New("unknown order " + o.Do)
		}
	}
	return done, nil
}
