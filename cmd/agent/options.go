package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target/health"
	"github.com/genode-operator/genode-operator/internal/target/qemu"
	"github.com/genode-operator/genode-operator/internal/target/supervisor"
	"github.com/genode-operator/genode-operator/internal/target/vnet"
)

const (
	defaultTerminationLog = "/dev/termination-log"
	defaultBinaries       = "/binaries"
	defaultMAC            = "52:54:00:67:6f:01"
)

// options are the flags; what they mean for the parts is checked by settings.
type options struct {
	preset, binary       string
	boot                 qemu.Boot
	overrides            qemu.Overrides
	accelerator          string
	subnet, gateway      string
	guestAddress, mac    string
	forward              []int
	taskloaderPort       int
	echoInterval         time.Duration
	health               health.Settings
	readyLogPattern      string
	steps                []string
	workDir, binaries    string
	podIP                string
	apiListen, probeAddr string
	tlsCert, tlsKey      string
	tokenFile            string
	console              consoleOptions
}

func (o *options) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.preset, "preset", "", `board of the guest; "agent presets" lists them (required)`)
	f.StringVar(&o.binary, "qemu", "", "QEMU program; the preset's by default")
	f.StringVar(&o.boot.Kernel, "kernel", "", "kernel or image.elf to boot")
	f.StringVar(&o.boot.Initrd, "initrd", "", "initrd, or first multiboot module, that goes with --kernel")
	f.StringVar(&o.boot.Append, "append", "", "command line that goes with --kernel")
	f.StringVar(&o.boot.ISO, "iso", "", "CD image to boot")
	f.StringVar(&o.boot.Disk, "disk", "", "disk image to boot; what the guest writes is thrown away")
	f.StringVar(&o.overrides.Machine, "machine", "", "machine instead of the preset's")
	f.StringVar(&o.overrides.CPU, "cpu", "", "CPU model instead of the preset's")
	f.IntVar(&o.overrides.CPUs, "cpus", 0, "number of CPUs instead of the preset's; on ARM and RISC-V it belongs to the image")
	f.IntVar(&o.overrides.MemoryMiB, "memory-mib", 0, "memory in MiB instead of the preset's; on ARM and RISC-V it belongs to the image")
	f.StringVar(&o.overrides.NIC, "nic", "", "network card instead of the preset's")
	f.StringVar(&o.overrides.NICOptions, "nic-options", "", "options added to the network card, for example vectors=0")
	f.StringVar(&o.accelerator, "accelerator", supervisor.AcceleratorAuto, "Auto, TCG or KVM")
	f.StringVar(&o.subnet, "subnet", "10.0.2.0/24", "IPv4 network between agent and guest")
	f.StringVar(&o.gateway, "gateway", "", "the agent's address in it; the second one by default")
	f.StringVar(&o.guestAddress, "guest-address", "", "the guest's address in it; the 15th one by default")
	f.StringVar(&o.mac, "mac", defaultMAC, "MAC address of the guest's network card")
	f.IntSliceVar(&o.forward, "forward", nil, "TCP `PORT` that is forwarded to the same port of the guest; may be repeated")
	f.IntVar(&o.taskloaderPort, "taskloader-port", v1alpha1.TaskloaderPort, "TCP port that has to accept before the guest is ready; always forwarded; 0 for none")
	f.DurationVar(&o.echoInterval, "echo-interval", supervisor.DefaultEchoInterval, "time between two echoes")
	f.DurationVar(&o.health.EchoTimeout, "echo-timeout", health.DefaultEchoTimeout, "silence after which the guest counts as frozen")
	f.DurationVar(&o.health.BootTimeout, "boot-timeout", health.DefaultBootTimeout, "time from start or reset until the guest has to be up")
	f.IntVar(&o.health.RebootLimit, "reboot-limit", health.DefaultRebootLimit, "resets by the guest itself within the boot time-out that are no loop")
	f.StringVar(&o.readyLogPattern, "ready-log-pattern", "", "regular expression that a line of the serial log has to match before the guest is ready")
	f.StringSliceVar(&o.steps, "steps", []string{"Restore", "Reset", "Relaunch"}, "recovery steps that may be used; empty: only watch")
	f.StringVar(&o.workDir, "work-dir", "", "private folder for sockets and the snapshot; a temporary one by default")
	f.StringVar(&o.binaries, "binaries", defaultBinaries, "folder of task binaries that the API serves")
	f.StringVar(&o.podIP, "pod-ip", envOr("POD_IP", "0.0.0.0"), "address to listen on [$POD_IP]")
	f.StringVar(&o.apiListen, "api-listen", "", fmt.Sprintf("address of the API; port %d of --pod-ip by default", v1alpha1.AgentPort))
	f.StringVar(&o.probeAddr, "probe-listen", "", fmt.Sprintf("address of the kubelet's probes; port %d of --pod-ip by default", v1alpha1.ProbePort))
	f.StringVar(&o.tlsCert, "tls-cert", "", "certificate of the API; without one, credentials are made in --work-dir/credentials")
	f.StringVar(&o.tlsKey, "tls-key", "", "its private key")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the bearer token of the API")
	o.console.register(cmd)
}

func envOr(name, other string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return other
}

// complete fills in what depends on other flags.
func (o *options) complete() {
	port := func(p int) string { return net.JoinHostPort(o.podIP, strconv.Itoa(p)) }
	if o.apiListen == "" {
		o.apiListen = port(v1alpha1.AgentPort)
	}
	if o.probeAddr == "" {
		o.probeAddr = port(v1alpha1.ProbePort)
	}
	if o.console.listen == "" {
		o.console.listen = port(v1alpha1.ConsolePort)
	}
	if o.taskloaderPort != 0 {
		o.forward = append(o.forward, o.taskloaderPort)
	}
	slices.Sort(o.forward)
	o.forward = slices.Compact(o.forward)
}

// network is what the virtual network has to know.
func (o *options) network() (vnet.Config, error) {
	var c vnet.Config
	var err error
	if c.Subnet, err = netip.ParsePrefix(o.subnet); err != nil {
		return c, fmt.Errorf("--subnet (spec.qemu.network.subnet): %w", err)
	}
	for _, a := range []struct {
		flag, field, text string
		into              *netip.Addr
	}{
		{"gateway", "gateway", o.gateway, &c.Gateway},
		{"guest-address", "guestAddress", o.guestAddress, &c.Guest},
	} {
		if a.text == "" {
			continue
		}
		if *a.into, err = netip.ParseAddr(a.text); err != nil {
			return c, fmt.Errorf("--%s (spec.qemu.network.%s): %w", a.flag, a.field, err)
		}
	}
	if c.MAC, err = net.ParseMAC(o.mac); err != nil {
		return c, fmt.Errorf("--mac (spec.qemu.network.macAddress): %w", err)
	}
	return c, nil
}

// settings is what the supervisor has to know, and the compiled ready pattern (nil without one).
func (o *options) settings() (supervisor.Settings, *regexp.Regexp, error) {
	s := supervisor.Settings{
		Health: o.health, EchoInterval: o.echoInterval, Accelerator: o.accelerator,
		ReadyLogPattern: o.readyLogPattern, ReadyPort: uint16(o.taskloaderPort),
	}
	for _, p := range o.forward {
		if p < 1 || p > 65535 {
			return s, nil, fmt.Errorf("--forward %d (spec.qemu.network.ports): give a port from 1 to 65535", p)
		}
	}
	switch o.accelerator {
	case supervisor.AcceleratorAuto, supervisor.AcceleratorKVM, supervisor.AcceleratorTCG:
	default:
		return s, nil, fmt.Errorf("--accelerator %q (spec.qemu.accelerator): use Auto, TCG or KVM", o.accelerator)
	}
	if o.echoInterval <= 0 || o.health.EchoTimeout < 2*o.echoInterval {
		return s, nil, fmt.Errorf("--echo-timeout %s must be at least twice --echo-interval %s, or one late echo counts as a freeze", o.health.EchoTimeout, o.echoInterval)
	}
	var err error
	if s.Steps, err = supervisor.ParseSteps(o.steps); err != nil {
		return s, nil, fmt.Errorf("--steps (spec.restart.steps): %w", err)
	}
	if o.readyLogPattern == "" {
		return s, nil, nil
	}
	pattern, err := regexp.Compile(o.readyLogPattern)
	if err != nil {
		return s, nil, fmt.Errorf("--ready-log-pattern (spec.health.readyLogPattern): %w", err)
	}
	return s, pattern, nil
}
