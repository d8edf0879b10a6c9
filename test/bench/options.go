package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
)

// Names of what --only chooses from, in the order of the report.
const (
	partRestore   = "restore"
	partReset     = "reset"
	partRelaunch  = "relaunch"
	partBusy      = "busy"
	partFootprint = "footprint"
	partEcho      = "echo"
	partVariants  = "variants"
	partHey6      = "hey6"
	partSpace     = "space"
	partStore     = "store"
	partFleet     = "fleet"
	partSimulator = "simulator"
)

var (
	parts = []string{
		partRestore, partReset, partRelaunch, partBusy, partFootprint, partEcho, partVariants, partHey6, partSpace, partStore, partFleet,
		partSimulator,
	}
	// groups are names for several parts.
	groups = map[string][]string{"campaign": {partHey6, partSpace, partStore, partFleet}}
	// withoutGuest are the parts that need no virtual machine.
	withoutGuest = []string{partVariants, partHey6, partSpace, partStore, partFleet, partSimulator}
)

// options are the flags.
type options struct {
	quick       bool
	only        []string
	freezes     int
	busy, idle  time.Duration
	echoes      time.Duration
	variants    int
	rounds      int
	long        uint64
	records     int
	fleet       int
	steady      time.Duration
	simulated   time.Duration
	seed        uint64
	output      string
	accelerator string
	agent       string // program
	guest       string // folder with vmlinuz and initrd.gz
	tasks       string // folder with the task binaries
	logs        string // folder that keeps the agents' logs; "": they are removed
	postgres    string // DSN of a database for the store's measurement; "": none
	profiles    string // folder for CPU and heap profiles of this process; "": none
}

func (o *options) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.quick, "quick", false, "some seconds of everything, to see that it works; the numbers mean little")
	f.StringSliceVar(&o.only, "only", nil, "measure only these: "+strings.Join(parts, ", ")+"; campaign is hey6, space, store and fleet")
	f.IntVar(&o.freezes, "freezes", 50, "freezes of each recovery step under each setting (quick: 2)")
	f.DurationVar(&o.busy, "busy", 10*time.Minute, "how long the busy guests are watched for false alarms (quick: 6s)")
	f.DurationVar(&o.idle, "idle", time.Minute, "how long the footprint of idle targets is measured (quick: 3s)")
	f.DurationVar(&o.echoes, "echoes", 30*time.Second, "how long echoes into idle guests are measured (quick: 3s)")
	f.IntVar(&o.variants, "variants", 3000, "variants for each target of the throughput measurement (quick: 100)")
	f.IntVar(&o.rounds, "rounds", 15, "how often Hey6 is run in each way (quick: 2)")
	f.Uint64Var(&o.long, "long", 1_000_000, "variants of the campaign of 10^9 that are run (quick: 20,000)")
	f.IntVar(&o.records, "records", 200_000, "records that are written to each store (quick: 2,000)")
	f.IntVar(&o.fleet, "fleet", 1000, "fake targets of the fleet (quick: 100)")
	f.DurationVar(&o.steady, "steady", 20*time.Second, "how long the fleet's CPU time is measured (quick: 1s)")
	f.DurationVar(&o.simulated, "simulated", 1000*time.Second, "simulated time of ten tasks; larger systems have less (quick: 5s)")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the random pauses before freezes")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	f.StringVar(&o.accelerator, "accelerator", "TCG", "accelerator of the guests: TCG, KVM or Auto")
	f.StringVar(&o.logs, "logs", "", "existing folder in which the agents' logs are kept")
	f.StringVar(&o.postgres, "postgres", os.Getenv("BENCH_POSTGRES"), "DSN of a PostgreSQL database to be measured, too [$BENCH_POSTGRES]; it keeps the records, so give it one that can be thrown away")
	f.StringVar(&o.profiles, "profiles", "", "existing folder for CPU and heap profiles of the engine and its sessions, a pair for each part")
	f.StringVar(&o.agent, "agent", "", "agent program (default bin/agent of the repository)")
	f.StringVar(&o.guest, "guest", os.Getenv("REFGUEST_IMAGE"), "folder of the reference guest [$REFGUEST_IMAGE] (default .cache/guest of the repository)")
	f.StringVar(&o.tasks, "tasks", os.Getenv("REFGUEST_TASKS"), "folder of its task binaries [$REFGUEST_TASKS] (default .cache/tasks of the repository)")
}

// complete checks the flags and fills in what depends on others; given says whether a flag was set.
func (o *options) complete(given func(flag string) bool) error {
	if err := o.expand(); err != nil {
		return err
	}
	if o.output != "text" && o.output != "json" {
		return fmt.Errorf("--output %q: use text or json", o.output)
	}
	if o.quick {
		o.shorten(given)
	}
	if err := o.check(); err != nil {
		return err
	}
	return o.find()
}

// expand replaces the names of groups in --only, and refuses those that there are not.
func (o *options) expand() error {
	for group, members := range groups {
		if i := slices.Index(o.only, group); i >= 0 {
			o.only = slices.Replace(o.only, i, i+1, members...)
		}
	}
	for _, p := range o.only {
		if !slices.Contains(parts, p) {
			return fmt.Errorf("--only %q: use %s", p, strings.Join(parts, ", "))
		}
	}
	return nil
}

func (o *options) check() error {
	if o.freezes < 1 || o.variants < 1 || o.rounds < 1 || o.records < 1 || o.fleet < 1 || o.long < 100 {
		return errors.New("--freezes, --variants, --rounds, --records and --fleet must be at least 1, --long 100")
	}
	if o.simulated < time.Second {
		return errors.New("--simulated must be at least 1s")
	}
	if o.busy < time.Second || o.idle < time.Second || o.echoes < time.Second {
		return errors.New("--busy, --idle and --echoes must be at least 1s")
	}
	return nil
}

func (o *options) shorten(given func(string) bool) {
	unless := func(flag string, set func()) {
		if !given(flag) {
			set()
		}
	}
	unless("freezes", func() { o.freezes = 2 })
	unless("busy", func() { o.busy = 6 * time.Second })
	unless("idle", func() { o.idle = 3 * time.Second })
	unless("echoes", func() { o.echoes = 3 * time.Second })
	unless("variants", func() { o.variants = 100 })
	unless("rounds", func() { o.rounds = 2 })
	unless("long", func() { o.long = 20_000 })
	unless("records", func() { o.records = 2000 })
	unless("fleet", func() { o.fleet = 100 })
	unless("simulated", func() { o.simulated = 5 * time.Second })
	unless("steady", func() { o.steady = time.Second })
}

// find looks for the programs and files, so that the first hour does not end in "no such file".
func (o *options) find() error {
	for _, f := range []struct {
		path    *string
		usual   string
		file    string // that has to be in it; "" for the path itself
		needed  bool
		command string // that makes it
	}{
		{&o.agent, "bin/agent", "", o.needsGuest(), "make build"},
		{&o.guest, ".cache/guest", "vmlinuz", o.needsGuest(), "make guest"},
		{&o.tasks, ".cache/tasks", "hey", o.wants(partVariants), "make guest"},
	} {
		if *f.path == "" {
			repo, err := assets.RepoRoot()
			if err != nil {
				return err
			}
			*f.path = filepath.Join(repo, filepath.FromSlash(f.usual))
		}
		if _, err := os.Stat(filepath.Join(*f.path, f.file)); err != nil && f.needed {
			return fmt.Errorf("%w: build it with %q", err, f.command)
		}
	}
	return nil
}

func (o *options) wants(part string) bool { return len(o.only) == 0 || slices.Contains(o.only, part) }

// needsGuest is true when something is measured that needs a virtual machine.
func (o *options) needsGuest() bool {
	return slices.ContainsFunc(parts, func(p string) bool { return !slices.Contains(withoutGuest, p) && o.wants(p) })
}
