// Command testsum runs tests and tells what happened in a few lines: a line for each package as "go test"
// prints it, the whole output of what failed, every skipped test with its reason, and the counts.
//
//	testsum run   -record FILE -name NAME GO-TEST-ARGUMENTS   go test -json, told in short
//	testsum fuzz  -record FILE -time 5s [FOLDER]              each fuzz target of the tree for a while
//	testsum check -record FILE -name NAME COMMAND...          any command: it succeeds or not
//	testsum total -record FILE                                the sum of all that was recorded
//
// The last line of "total" is "N passed, N failed". A failed check counts as a failure, a passed one is no
// test and is not counted. The exit code is 0 only when nothing failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:])
	stop()
	if err == nil {
		return
	}
	if !errors.Is(err, errFailed) {
		fmt.Fprintf(os.Stderr, "testsum: %v\n", err)
	}
	os.Exit(1)
}

// errFailed says that something failed which has been told already.
var errFailed = errors.New("failed")

// dispatch runs the subcommand that args name.
func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("name a subcommand: run, fuzz, check or total")
	}
	flags := flag.NewFlagSet("testsum "+args[0], flag.ContinueOnError)
	record := flags.String("record", "", "file that the outcome is appended to")
	name := flags.String("name", "tests", "name of this part in the summary")
	length := flags.Duration("time", 5*time.Second, "how long each fuzz target runs")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "run":
		return finish(*record, runTests(ctx, *name, flags.Args()))
	case "fuzz":
		root := "."
		if flags.NArg() > 0 {
			root = flags.Arg(0)
		}
		part, err := fuzz(ctx, root, *length)
		if err != nil {
			return err
		}
		return finish(*record, part)
	case "check":
		return finish(*record, check(ctx, *name, flags.Args()))
	case "total":
		return total(os.Stdout, *record)
	default:
		return fmt.Errorf("unknown subcommand %q: use run, fuzz, check or total", args[0])
	}
}

// finish records a part and turns its outcome into an error.
func finish(path string, part Part) error {
	if err := appendPart(path, part); err != nil {
		return err
	}
	if !part.OK {
		return errFailed
	}
	return nil
}
