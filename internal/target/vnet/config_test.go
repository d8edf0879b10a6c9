package vnet

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestConfigDefaults(t *testing.T) {
	cases := map[string]struct {
		cfg                    Config
		wantGateway, wantGuest string
	}{
		"nothing given": {Config{}, "10.0.2.2", "10.0.2.15"},
		"a subnet":      {Config{Subnet: netip.MustParsePrefix("172.20.5.77/16")}, "172.20.0.2", "172.20.0.15"},
		"a guest":       {Config{Guest: netip.MustParseAddr("10.0.2.99")}, "10.0.2.2", "10.0.2.99"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := tc.cfg.complete()
			if err != nil || got.Gateway.String() != tc.wantGateway || got.Guest.String() != tc.wantGuest || got.MTU != 1500 {
				t.Errorf("complete = %v, %v, MTU %d, %v, want %s, %s, 1500", got.Gateway, got.Guest, got.MTU, err, tc.wantGateway, tc.wantGuest)
			}
		})
	}
}

func TestConfigErrorsNameTheField(t *testing.T) {
	addr := netip.MustParseAddr
	cases := map[string]struct {
		cfg  Config
		want string
	}{
		"an IPv6 subnet":                   {Config{Subnet: netip.MustParsePrefix("fd00::/64")}, "subnet fd00::/64"},
		"a subnet without room":            {Config{Subnet: netip.MustParsePrefix("10.0.0.0/31")}, "subnet 10.0.0.0/31"},
		"a subnet too small for the guest": {Config{Subnet: netip.MustParsePrefix("10.0.0.0/29")}, "guest 10.0.0.15"},
		"a guest outside of the subnet":    {Config{Guest: addr("192.168.217.21")}, "guest 192.168.217.21"},
		"a gateway outside of the subnet":  {Config{Gateway: addr("192.168.217.20")}, "gateway 192.168.217.20"},
		"the broadcast address":            {Config{Guest: addr("10.0.2.255")}, "guest 10.0.2.255"},
		"the network's own address":        {Config{Gateway: addr("10.0.2.0")}, "gateway 10.0.2.0"},
		"one address for both":             {Config{Guest: addr("10.0.2.2")}, "10.0.2.2"},
		"a tiny MTU":                       {Config{MTU: 100}, "MTU 100"},
		"a huge MTU":                       {Config{MTU: 70000}, "MTU 70000"},
		"a negative bound":                 {Config{MaxConnections: -1}, "MaxConnections -1"},
		"a multicast MAC":                  {Config{MAC: net.HardwareAddr{1, 0, 0, 0, 0, 1}}, "MAC 01:00:00:00:00:01"},
		"the gateway's MAC":                {Config{MAC: gatewayMAC}, gatewayMAC.String()},
		"a MAC of another kind":            {Config{MAC: make(net.HardwareAddr, 8)}, "MAC"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			n, err := New(tc.cfg)
			if err == nil {
				n.Close()
				t.Fatal("New took it, want an error")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q does not name %q", err, tc.want)
			}
		})
	}
}

func TestBroadcast(t *testing.T) {
	for prefix, want := range map[string]string{
		"10.0.2.0/24": "10.0.2.255", "10.0.0.0/8": "10.255.255.255", "192.168.0.128/25": "192.168.0.255", "10.1.2.4/30": "10.1.2.7",
	} {
		if got := broadcastOf(netip.MustParsePrefix(prefix)); got.String() != want {
			t.Errorf("broadcast of %s = %s, want %s", prefix, got, want)
		}
	}
}
