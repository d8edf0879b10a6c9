package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/gateway/certs"
	"github.com/genode-operator/genode-operator/internal/gateway/fixture"
	"github.com/genode-operator/genode-operator/internal/gateway/server"
	"github.com/genode-operator/genode-operator/internal/gateway/simulator"
	"github.com/genode-operator/genode-operator/internal/gateway/table"
)

// gatewayOptions are the flags of the session gateway.
type gatewayOptions struct {
	listen, stats, plain         string
	cert, key, certDir, clientCA string
	names                        []string
	backend                      string
	table                        table.Options
	notFound, duplicateKey, ipv4 string
	atomic, allowShutdown        bool
	maxBatch                     int
}

func (o *gatewayOptions) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:3443", `address with TLS; "0" for none`)
	f.StringVar(&o.stats, "stats-listen", "127.0.0.1:3444", `second address with TLS, where clients of 2020 look for statistics; "0" for none`)
	f.StringVar(&o.plain, "plaintext-listen", "", "loopback address without TLS; none by default")
	f.StringVar(&o.cert, "tls-cert", "", "certificate of the gateway, in PEM form; goes with --tls-key")
	f.StringVar(&o.key, "tls-key", "", "its private key")
	f.StringVar(&o.certDir, "cert-dir", "ssl", "folder of server.crt and server.key, which are made if missing; not used with --tls-cert")
	f.StringSliceVar(&o.names, "tls-name", nil, "further `NAME` or address that a certificate is made for; localhost always is")
	f.StringVar(&o.clientCA, "client-ca", "", "file with the certificates that clients have to prove themselves by; without it everybody may come")
	f.StringVar(&o.backend, "backend", simulator.Name, "what handles packets: simulator (nothing, for trying clients) or fixture (canned answers)")
	f.IntVar(&o.table.Capacity, "capacity", table.DefaultCapacity, "open sessions at a time")
	f.DurationVar(&o.table.IdleTimeout, "idle-timeout", table.DefaultIdleTimeout, "silence after which a session is closed that asks for no cacheTimeout")
	f.DurationVar(&o.table.MaxIdleTimeout, "max-idle-timeout", table.DefaultMaxIdleTimeout, "longest cacheTimeout; a longer one is shortened")
	f.IntVar(&o.table.Unreported, "unreported", table.DefaultUnreported, "closed sessions that are kept for getClosedSessions; beyond that the oldest are forgotten")
	f.StringVar(&o.notFound, "not-found", "inband", "how to say that there is no such session: inband (requestStatus 2) or status (NOT_FOUND)")
	f.StringVar(&o.duplicateKey, "duplicate-key", "tuple", "what two sessions may not share: tuple (and id), or id alone")
	f.StringVar(&o.ipv4, "ipv4-order", "pton", "how an IPv4 address becomes a number: pton (10.0.0.1 is 0x0100000a) or host (0x0a000001)")
	f.BoolVar(&o.atomic, "atomic", false, "take all sessions of a stream or none; clients may say otherwise by the metadata "+server.MetadataAtomic)
	f.BoolVar(&o.allowShutdown, "allow-shutdown", false, "let clients end the gateway by shutdownServer")
	f.IntVar(&o.maxBatch, "max-batch", server.DefaultMaxBatch, "sessions that a stream may bring")
}

// server are the options that the flags stand for. What is wrong with them is found here.
func (o *gatewayOptions) server() (server.Options, error) {
	if err := o.check(); err != nil {
		return server.Options{}, err
	}
	o.table.SameTuple = o.duplicateKey == "id"
	s := server.Options{
		Order: o.ipv4 == "host", NotFound: o.notFound == "status", Atomic: o.atomic, Shutdown: o.allowShutdown, MaxBatch: o.maxBatch,
	}
	var err error
	if o.secured() {
		s.TLS, err = o.tls()
	}
	return s, err
}

// check looks at what needs neither a file nor a socket.
func (o *gatewayOptions) check() error {
	for _, choice := range []struct {
		flag, value string
		values      []string
	}{
		{"--backend", o.backend, []string{simulator.Name, fixture.Name}},
		{"--not-found", o.notFound, []string{"inband", "status"}},
		{"--duplicate-key", o.duplicateKey, []string{"tuple", "id"}},
		{"--ipv4-order", o.ipv4, []string{"pton", "host"}},
	} {
		if !slices.Contains(choice.values, choice.value) {
			return fmt.Errorf("%s %q: use %s", choice.flag, choice.value, strings.Join(choice.values, " or "))
		}
	}
	for _, n := range []struct {
		flag  string
		value int
	}{{"--capacity", o.table.Capacity}, {"--unreported", o.table.Unreported}, {"--max-batch", o.maxBatch}} {
		if n.value < 1 {
			return fmt.Errorf("%s %d: give 1 or more", n.flag, n.value)
		}
	}
	if o.table.IdleTimeout < time.Second || o.table.MaxIdleTimeout < o.table.IdleTimeout {
		return fmt.Errorf("--idle-timeout %s: give 1s or more, and no more than --max-idle-timeout %s", o.table.IdleTimeout, o.table.MaxIdleTimeout)
	}
	switch {
	case !wanted(o.plain) && !o.secured():
		return errors.New("--listen, --stats-listen, --plaintext-listen: give at least one address")
	case wanted(o.plain) && !loopback(o.plain):
		return fmt.Errorf("--plaintext-listen %q: without TLS the gateway stays on loopback: give an address such as 127.0.0.1:50151", o.plain)
	case (o.cert == "") != (o.key == ""):
		return errors.New("--tls-cert and --tls-key go together")
	}
	return nil
}

func (o *gatewayOptions) secured() bool { return wanted(o.listen) || wanted(o.stats) }

// tls is how the gateway proves itself, and what it asks of its clients.
func (o *gatewayOptions) tls() (*tls.Config, error) {
	var cert tls.Certificate
	var err error
	if o.cert != "" {
		cert, err = certs.Load(o.cert, o.key)
	} else if cert, err = certs.Ensure(o.certDir, time.Now(), o.names...); err != nil {
		err = fmt.Errorf("--cert-dir: %w", err)
	}
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if o.clientCA == "" {
		return config, nil
	}
	if config.ClientCAs, err = certs.Pool(o.clientCA); err != nil {
		return nil, fmt.Errorf("--client-ca: %w", err)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}

func wanted(address string) bool { return address != "" && address != noPort }

// loopback is true of addresses that only this machine can reach.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
