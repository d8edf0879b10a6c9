//go:build linux

package boot

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/go-logr/logr"
	"golang.org/x/sys/unix"

	"github.com/genode-operator/genode-operator/internal/refguest"
	"github.com/genode-operator/genode-operator/internal/refguest/control"
	"github.com/genode-operator/genode-operator/internal/refguest/process"
)

// Run does the work of PID 1. It never returns: PID 1 must not end. newLog makes the logger of a verbosity;
// the line that says that the guest is ready goes to console.
func Run(newLog func(verbosity int) logr.Logger, console io.Writer) {
	log := newLog(0)
	if err := mounts(); err != nil {
		log.Error(err, "Mounting failed")
	}
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		log.Error(err, "Reading the kernel command line failed")
	}
	p, errs := parseParams(string(cmdline))
	for _, err := range errs {
		log.Error(err, "Ignoring a parameter")
	}
	log = newLog(p.verbose)
	if err := loadModules(); err != nil {
		log.Error(err, "Loading modules failed")
	}
	if err := seedRandom(); err != nil {
		log.Error(err, "Seeding the random numbers failed, the boot takes longer")
	}
	serve(p, log, console)
	log.Info("Nothing left to do, waiting to be restarted")
	select {}
}

func serve(p params, log logr.Logger, console io.Writer) {
	ctx := context.Background()
	ln, err := net.Listen("tcp4", ":"+strconv.Itoa(p.port))
	if err != nil {
		log.Error(err, "Listening failed")
		return
	}
	group, err := jobsGroup()
	if err != nil {
		log.Error(err, "No memory cgroup, quotas become limits of the address space")
		group = ""
	}
	runner := process.New(process.Options{Dir: jobDir, Cgroup: group, RealTime: true, Log: log})
	opts := refguest.Options{Runner: runner, Log: log, Reboot: restart}
	if memory, ok := totalMemory(); ok { // uploads must not eat the guest
		opts.MaxStore, opts.MaxBinary, opts.MaxDescription = memory/4, memory/8, memory/16
	}
	m := &machine{server: refguest.New(opts), spin: process.NewSpinners(log)}
	go reap(ctx, func(pid int) bool { return runner.Owns(pid) || m.spin.Owns(pid) })
	address, link, err := network(ctx, p, log)
	if err != nil {
		log.Error(err, "No network")
		return
	}
	m.link = link
	if p.control != 0 {
		go serveControl(ctx, p.control, m, log)
	}
	if err := raise(); err != nil {
		log.Error(err, "Raising the server's priority failed")
	}
	fmt.Fprintf(console, "refguest: ready, taskloader on port %d (%s, up %s s)\n", p.port, address, uptime())
	if err := m.server.Serve(ctx, ln); err != nil {
		log.Error(err, "Serving ended")
	}
}

func serveControl(ctx context.Context, port int, m *machine, log logr.Logger) {
	ln, err := net.Listen("tcp4", ":"+strconv.Itoa(port))
	if err != nil {
		log.Error(err, "Listening on the control port failed")
		return
	}
	if err := control.New(m, log).Serve(ctx, ln); err != nil {
		log.Error(err, "Control port ended")
	}
}

func uptime() string {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return "?"
	}
	up, _, _ := strings.Cut(string(text), " ")
	return up
}

// totalMemory is the guest's memory in bytes.
func totalMemory() (int64, bool) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, false
	}
	return int64(info.Totalram) * int64(info.Unit), true
}
