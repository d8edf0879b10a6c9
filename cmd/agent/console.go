package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/port"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
	"github.com/genode-operator/genode-operator/internal/target/qemu"
)

// noPort as an address means that a port is not wanted.
const noPort = "0"

// maxLines is how many serial ports QEMU's boards have at most.
const maxLines = 4

// consoleOptions are the flags about the guest's serial lines.
type consoleOptions struct {
	lines         int
	policies      []string
	listen, plain string
	dial, dialCA  string
}

func (o *consoleOptions) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&o.lines, "serial-lines", 1, "number of serial lines, from 1 to 4; the log is that of the first, whose name is 0")
	f.StringArrayVar(&o.policies, "console-policy", nil, "who may use the serial lines: `LABEL[@LINE]=read|write|steal[,clients=N][,single]`; may be repeated, the first that covers a client counts; without one nobody may")
	f.StringVar(&o.listen, "console-listen", "", `address of the first serial line's port, with TLS and the API's token; further lines have the ports behind it; port 7444 of --pod-ip by default, "0" for none`)
	f.StringVar(&o.plain, "console-plain", "", `loopback address where the first serial line is served as it is, without TLS, to label "local"; further lines have the ports behind it`)
	f.StringVar(&o.dial, "console-dial", "", `address that the first serial line is offered to, again after each loss, under label "dial"; on loopback, or with --console-dial-ca`)
	f.StringVar(&o.dialCA, "console-dial-ca", "", "file with the certificates that whoever answers at --console-dial proves itself by; makes it speak TLS")
}

// prepareConsole makes the serial lines and the desk where clients ask for them.
func (a *agent) prepareConsole() error {
	o := desk.Options{}
	for _, text := range a.console.policies {
		p, err := desk.ParsePolicy(text)
		if err != nil {
			return fmt.Errorf("--console-policy: %w", err)
		}
		o.Policies = append(o.Policies, p)
	}
	for i := range a.console.lines {
		a.serial = append(a.serial, share.NewLine(strconv.Itoa(i), share.Options{}))
	}
	o.Lines = a.serial
	a.desk = desk.New(o)
	a.server.Consoles, a.server.Log = a.desk, a.ring
	return nil
}

// feed gives the guest what is typed, for as long as the machine runs.
func (a *agent) feed(vm *qemu.VM) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-vm.Done()
		cancel()
	}()
	for i, line := range a.serial {
		go func() {
			buffer := make([]byte, share.DefaultInput)
			for {
				n, err := line.Take(ctx, buffer)
				if err != nil {
					return
				}
				if _, err := vm.Serial(i).Write(buffer[:n]); err != nil {
					return // it ends, and was not interested any more
				}
			}
		}()
	}
}

// serveConsole serves the serial lines wherever the flags say, and lets all clients go when ctx ends.
func (a *agent) serveConsole(ctx context.Context, g *errgroup.Group, l listeners) error {
	options := port.Options{Desk: a.desk, Log: a.log.WithName("console")}
	serve := func(l net.Listener, line int, o port.Options) {
		o.Line = strconv.Itoa(line)
		g.Go(func() error { return port.New(o).Serve(ctx, l) })
	}
	for i, one := range l.plain {
		serve(one, i, options)
	}
	if a.console.dial != "" {
		config, err := a.console.dialTLS()
		if err != nil {
			return err
		}
		out := options
		out.TLS, out.Line = config, "0"
		g.Go(func() error { return port.New(out).Dial(ctx, a.console.dial) })
	}
	options.Token = a.server.Token
	options.TLS = &tls.Config{Certificates: []tls.Certificate{a.cert}, MinVersion: tls.VersionTLS13}
	for i, one := range l.console {
		serve(one, i, options)
	}
	context.AfterFunc(ctx, func() {
		for _, line := range a.serial {
			line.Close("the agent is ending")
		}
	})
	return nil
}

// dialTLS is how a port that dials out checks who answers; nil: it does not.
func (o *consoleOptions) dialTLS() (*tls.Config, error) {
	if o.dialCA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(o.dialCA)
	if err != nil {
		return nil, configError{fmt.Errorf("--console-dial-ca: %w", err)}
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, configError{fmt.Errorf("--console-dial-ca %s: it holds no certificate in PEM form", o.dialCA)}
	}
	return config, nil
}

// ports are the addresses of all lines, the first of which is given; none if that is not wanted.
func (o *consoleOptions) ports(first string) (all []string) {
	if first == "" || first == noPort {
		return nil
	}
	host, text, _ := net.SplitHostPort(first) // check has seen it
	number, _ := strconv.Atoi(text)
	for i := range o.lines {
		all = append(all, net.JoinHostPort(host, strconv.Itoa(number+i)))
	}
	return all
}

// check looks at what does not need a socket.
func (o *consoleOptions) check() error {
	switch {
	case o.lines < 1 || o.lines > maxLines:
		return fmt.Errorf("--serial-lines %d (spec.qemu.serialLines): give a number from 1 to %d", o.lines, maxLines)
	case o.dialCA != "" && o.dial == "":
		return errors.New("--console-dial-ca is of no use without --console-dial")
	}
	return errors.Join(
		o.checkAddress("--console-listen", o.listen, true),
		o.checkAddress("--console-plain", o.plain, false),
		o.checkAddress("--console-dial", o.dial, o.dialCA != ""),
	)
}

// checkAddress looks at an address; one that is not secured has to be on loopback.
func (o *consoleOptions) checkAddress(flag, address string, secured bool) error {
	if address == "" || address == noPort {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if n, failed := strconv.ParseUint(port, 10, 16); err != nil || failed != nil || n == 0 || int(n)+o.lines > 1<<16 {
		return fmt.Errorf("%s %q: give HOST:PORT, with a number from 1 to %d", flag, address, 1<<16-o.lines)
	}
	if ip := net.ParseIP(host); !secured && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s %q: without TLS a serial line stays on loopback: give an address such as 127.0.0.1:7500", flag, address)
	}
	return nil
}
