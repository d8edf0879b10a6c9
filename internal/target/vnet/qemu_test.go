package vnet

import (
	"context"
	"net"
	"os/exec"
	"testing"
	"time"
)

// The network boot firmware that comes with QEMU is a guest with a DHCP client and an ARP and ICMP of its own: it
// takes its lease over a real netdev, and answers echoes while it looks for something to boot.
func TestQEMUFirmwareTakesItsLeaseAndAnswersEchoes(t *testing.T) {
	if testing.Short() {
		t.Skip("starts QEMU")
	}
	binary, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("qemu-system-x86_64 is not installed")
	}
	s := serve(t, Config{})
	got := echoes(t, s.Network, 20*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	mac := net.HardwareAddr{0x52, 0x54, 0, 0xab, 0xcd, 0xef}
	cmd := exec.CommandContext(ctx, binary, "-machine", "pc", "-accel", "tcg", "-m", "64", "-display", "none", "-serial", "none",
		"-monitor", "none", "-no-reboot", "-boot", "n", "-device", "e1000,netdev=n0,mac="+mac.String(),
		"-netdev", "stream,id=n0,server=off,addr.type=unix,addr.path="+s.path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer cancel()
	late := time.After(time.Minute)
	for {
		select {
		case e := <-got:
			if isReply(e) {
				if seen, _ := s.GuestMAC(); seen.String() != mac.String() {
					t.Errorf("GuestMAC = %v, want %v", seen, mac)
				}
				t.Logf("answered after %s, round trip %s", e.Received.Sub(e.Sent), e.RoundTrip)
				return
			}
		case <-late:
			t.Fatalf("the firmware did not answer an echo; counters: %+v", s.Stats())
		}
	}
}
