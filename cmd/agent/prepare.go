package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"

	"github.com/genode-operator/genode-operator/internal/target/console"
	"github.com/genode-operator/genode-operator/internal/target/qemu"
	"github.com/genode-operator/genode-operator/internal/target/supervisor"
	"github.com/genode-operator/genode-operator/internal/target/vnet"
)

// prepareSettings checks the flags about watching and the network, and makes the network.
func (a *agent) prepareSettings() (*regexp.Regexp, error) {
	settings, pattern, err := a.options.settings()
	if err != nil {
		return nil, err
	}
	a.settings = settings
	config, err := a.options.network()
	if err != nil {
		return nil, err
	}
	config.Log = a.log.WithName("vnet")
	if a.network, err = vnet.New(config); err != nil {
		return nil, err
	}
	a.machine.MAC = config.MAC
	a.ring = console.New(console.Options{Tee: os.Stdout})
	if err := a.console.check(); err != nil {
		return nil, err
	}
	return pattern, a.prepareConsole()
}

// prepareMachine completes the machine and checks it as far as that is possible without starting it.
func (a *agent) prepareMachine() error {
	if a.preset == "" {
		return errors.New(`--preset (spec.qemu.preset) is missing: "agent presets" lists them`)
	}
	mac := net.HardwareAddr(a.machine.MAC)
	a.machine = qemu.Config{
		Preset: a.preset, Overrides: a.overrides, Boot: a.boot, Binary: a.binary, MAC: mac,
		NetSocket: filepath.Join(a.workDir, "net.sock"),
		Dir:       filepath.Join(a.workDir, "qemu"),
	}
	for _, s := range a.settings.Steps {
		a.machine.Snapshots = a.machine.Snapshots || s == supervisor.StepRestore
	}
	_, _, err := qemu.Command(a.machine)
	return err
}
