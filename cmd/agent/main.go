// Command agent is the main process of a target pod: it runs one guest in QEMU, gives it a network, and
// brings it back when it stops answering.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
)

// Exit statuses besides 0.
const (
	exitFailure = 1
	// exitConfig (EX_CONFIG of sysexits.h) says that a retry is no use before the TargetSession changes.
	exitConfig = 78
)

// errConfig marks errors that only another TargetSession mends.
var errConfig = errors.New("configuration")

// configError is an error that only another TargetSession mends.
type configError struct{ error }

func (e configError) Unwrap() error        { return e.error }
func (e configError) Is(target error) bool { return target == errConfig }

// maxTermination is the length of the longest termination message that a kubelet keeps.
const maxTermination = 4096

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	terminationLog := defaultTerminationLog
	err := command(&terminationLog).ExecuteContext(ctx)
	if err == nil {
		return
	}
	message := strings.TrimSpace(strings.ReplaceAll(err.Error(), "\n", "; "))
	fmt.Fprintln(os.Stderr, message)
	terminate(terminationLog, message)
	stop()
	if errors.Is(err, errConfig) {
		os.Exit(exitConfig)
	}
	os.Exit(exitFailure)
}

// terminate leaves the reason for whoever asks the kubelet. A kubelet makes the file beforehand; on a
// workstation there is none, and nothing is written into /dev.
func terminate(path, message string) {
	flags := os.O_WRONLY | os.O_TRUNC
	if path != defaultTerminationLog {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return // the message is on standard error
	}
	_, _ = f.WriteString(message[:min(len(message), maxTermination)])
	_ = f.Close()
}

func command(terminationLog *string) *cobra.Command {
	o := options{}
	verbosity := 0
	cmd := &cobra.Command{
		Use:   "agent --preset NAME (--kernel FILE | --iso FILE | --disk FILE)",
		Short: "Run one guest in QEMU, watch it, and bring it back when it freezes",
		Long: `Agent runs one guest in QEMU and makes it look like a well-behaved pod.

It gives the guest a network in user space (DHCP, no privilege), forwards TCP ports to it, sends it ICMP
echoes, and writes its serial log to standard output. When the guest stops answering, the agent restores
its snapshot, resets it, or starts QEMU anew, whatever helps first. Its own log goes to standard error.

The agent is PID 1 of the operator's target pods, and runs just as well by hand. Exit status 78 says
that an option has to change before another start makes sense.`,
		Example: `  # a Genode image for the 64-bit ARM board
  agent --preset virt-arm64 --kernel /images/image.elf

  # a Genode ISO on a PC with a static address in the image, found frozen within 250 ms
  agent --preset pc --iso /images/genode.iso --subnet 192.168.217.0/24 --gateway 192.168.217.20 \
        --guest-address 192.168.217.21 --echo-interval 50ms --echo-timeout 250ms

  # the reference guest; its taskloader is then at 127.0.0.1:3001
  agent --preset linux-x86 --kernel vmlinuz --initrd initrd.gz --append "console=ttyS0 quiet" --pod-ip 127.0.0.1`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), o, newLog(verbosity))
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return configError{fmt.Errorf("%w; see agent --help", err)}
	})
	cmd.PersistentFlags().StringVar(terminationLog, "termination-log", defaultTerminationLog, "file that gets the reason when the agent fails; written only if it can be")
	cmd.PersistentFlags().IntVar(&verbosity, "log-level", 0, "0: what changes, 2: what is done and why, 4: details")
	o.register(cmd)
	cmd.AddCommand(fetchCommand(), presetsCommand(), gatewayCommand(&verbosity))
	return cmd
}

// newLog writes structured text to standard error.
func newLog(verbosity int) logr.Logger {
	return logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.Level(-verbosity)}))
}
