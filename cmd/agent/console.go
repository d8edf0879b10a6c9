package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/port"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
	"github.com/genode-operator/genode-operator/internal/target/qemu"
)

// noPort as an address means that a port is not wanted.
const noPort = "0"

// firstLine is the name of the guest's first serial line.
const firstLine = "0"

// consoleOptions are the flags about the guest's serial line.
type consoleOptions struct {
	policies      []string
	listen, plain string
	dial, dialCA  string
}

func (o *consoleOptions) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.policies, "console-policy", nil, "who may use the serial line: `LABEL[@LINE]=read|write|steal[,clients=N][,single]`; may be repeated, the first that covers a client counts; without one nobody may")
	f.StringVar(&o.listen, "console-listen", "", `address of the serial line's port, with TLS and the API's token; port 7444 of --pod-ip by default, "0" for none`)
	f.StringVar(&o.plain, "console-plain", "", `loopback address where the serial line is served as it is, without TLS, to label "local"`)
	f.StringVar(&o.dial, "console-dial", "", `address that the serial line is offered to, again after each loss, under label "dial"; on loopback, or with --console-dial-ca`)
	f.StringVar(&o.dialCA, "console-dial-ca", "", "file with the certificates that whoever answers at --console-dial proves itself by; makes it speak TLS")
}

// prepareConsole makes the serial line and the desk where clients ask for it.
func (a *agent) prepareConsole() error {
	o := desk.Options{}
	for _, text := range a.console.policies {
		p, err := desk.ParsePolicy(text)
		if err != nil {
			return fmt.Errorf("--console-policy: %w", err)
		}
		o.Policies = append(o.Policies, p)
	}
	a.serial = share.NewLine(firstLine, share.Options{})
	o.Lines = []*share.Line{a.serial}
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
	go func() {
		defer cancel()
		buffer := make([]byte, share.DefaultInput)
		for {
			n, err := a.serial.Take(ctx, buffer)
			if err != nil {
				return
			}
			if _, err := vm.Serial().Write(buffer[:n]); err != nil {
				return // it ends, and was not interested any more
			}
		}
	}()
}

// serveConsole serves the serial line wherever the flags say, and lets all clients go when ctx ends.
func (a *agent) serveConsole(ctx context.Context, g *errgroup.Group, l listeners) error {
	options := port.Options{Desk: a.desk, Line: firstLine, Log: a.log.WithName("console")}
	if l.plain != nil {
		plain := port.New(options)
		g.Go(func() error { return plain.Serve(ctx, l.plain) })
	}
	if a.console.dial != "" {
		config, err := a.console.dialTLS()
		if err != nil {
			return err
		}
		out := options
		out.TLS = config
		g.Go(func() error { return port.New(out).Dial(ctx, a.console.dial) })
	}
	if l.console != nil {
		options.Token = a.server.Token
		options.TLS = &tls.Config{Certificates: []tls.Certificate{a.cert}, MinVersion: tls.VersionTLS13}
		secure := port.New(options)
		g.Go(func() error { return secure.Serve(ctx, l.console) })
	}
	context.AfterFunc(ctx, func() { a.serial.Close("the agent is ending") })
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

// check looks at what does not need a socket.
func (o *consoleOptions) check() error {
	for _, at := range []struct {
		flag, address string
		secured       bool
	}{{"--console-plain", o.plain, false}, {"--console-dial", o.dial, o.dialCA != ""}} {
		if at.address == "" {
			continue
		}
		host, _, err := net.SplitHostPort(at.address)
		if err != nil {
			return fmt.Errorf("%s %q: give HOST:PORT: %w", at.flag, at.address, err)
		}
		if ip := net.ParseIP(host); !at.secured && (ip == nil || !ip.IsLoopback()) {
			return fmt.Errorf("%s %q: without TLS a serial line stays on loopback: give an address such as 127.0.0.1:7500", at.flag, at.address)
		}
	}
	if o.dialCA != "" && o.dial == "" {
		return errors.New("--console-dial-ca is of no use without --console-dial")
	}
	return nil
}
