package qemu

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each preset's command line is taken by the QEMU that is installed, with every part that the preset
// allows, and its network card is connected with the MAC that was asked for.
func TestQEMUTakesTheCommandLines(t *testing.T) {
	for _, p := range Presets() {
		t.Run(p.Name, func(t *testing.T) {
			need(t, p.Binary)
			dir := shortDir(t)
			cfg := example(p.Name)
			cfg.Dir, cfg.NetSocket = filepath.Join(dir, "a,b"), filepath.Join(dir, "n,t")
			cfg.Boot.Kernel = filepath.Join(dir, "kernel")
			cfg.Snapshots, cfg.extra = true, []string{"-S"}
			must(t, os.WriteFile(cfg.Boot.Kernel, kernelFor(p), 0o600))
			listener, err := net.Listen("unix", cfg.NetSocket)
			must(t, err)
			defer listener.Close()

			vm, _ := start(t, cfg)
			if state, err := vm.RunState(within(t)); err != nil || state != "prelaunch" && state != "paused" {
				t.Errorf("run state %q, %v", state, err)
			}
			conn, err := listener.Accept()
			must(t, err)
			conn.Close()
			if macs := cardMACs(t, vm); len(macs) != 1 || macs[0] != cfg.MAC.String() {
				t.Errorf("the machine has the cards %q, want %s alone", macs, cfg.MAC)
			}
			if registers, err := vm.Registers(within(t)); err != nil || registers == "" {
				t.Errorf("registers %q, %v", registers, err)
			}
			must(t, vm.Reset(within(t)))
			wantState(t, vm, "running")
			if _, err := vm.SaveSnapshot(within(t)); err != nil {
				t.Errorf("SaveSnapshot: %v", err)
			}
			if err := vm.LoadSnapshot(within(t)); err != nil {
				t.Errorf("LoadSnapshot: %v", err)
			}
			wantState(t, vm, "running")
		})
	}
}

// kernelFor is something that the preset's loader takes: any bytes, except on a PC.
func kernelFor(p Preset) []byte {
	if p.pci {
		return counterKernel()
	}
	return make([]byte, 4096)
}

// cardMACs lists the addresses of all network cards.
func cardMACs(t *testing.T, vm *VM) []string {
	t.Helper()
	var text string
	args := map[string]string{"command-line": "info network"}
	must(t, vm.qmp.Execute(within(t), "human-monitor-command", args, &text))
	var macs []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \r\n", r) }) {
		if mac, ok := strings.CutPrefix(word, "macaddr="); ok {
			macs = append(macs, mac)
		}
	}
	return macs
}

func TestAPCHasNothingUnaskedFor(t *testing.T) {
	cfg := guestConfig(t, counter())
	cfg.extra = []string{"-S"}
	vm, _ := start(t, cfg)
	var buses []struct {
		Devices []struct {
			Class struct {
				Desc string `json:"desc"`
			} `json:"class_info"`
		} `json:"devices"`
	}
	must(t, vm.qmp.Execute(within(t), "query-pci", nil, &buses))
	var classes []string
	for _, b := range buses {
		for _, d := range b.Devices {
			classes = append(classes, d.Class.Desc)
		}
	}
	for _, unwanted := range []string{"audio", "USB", "Sound"} {
		if strings.Contains(strings.Join(classes, ", "), unwanted) {
			t.Errorf("the PC has %s: %q", unwanted, classes)
		}
	}
	if n := strings.Count(strings.Join(classes, ", "), "Ethernet"); n != 1 {
		t.Errorf("the PC has %d network cards: %q", n, classes)
	}
}
