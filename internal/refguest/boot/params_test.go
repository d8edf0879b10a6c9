//go:build linux

package boot

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"
)

func TestParams(t *testing.T) {
	cases := map[string]struct {
		cmdline  string
		want     params
		wantErrs int
	}{
		"nothing is DHCP and no control port": {cmdline: "console=ttyS0 quiet", want: params{port: 3001}},
		"everything set": {
			cmdline: "refguest.address=10.0.2.15/24 refguest.gateway=10.0.2.2 refguest.port=3003 refguest.control=3002 refguest.verbose=2",
			want: params{address: netip.MustParsePrefix("10.0.2.15/24"), gateway: netip.MustParseAddr("10.0.2.2"),
				port: 3003, control: 3002, verbose: 2},
		},
		"wrong values are reported and leave the defaults": {
			cmdline: "refguest.address=10.0.2.15 refguest.gateway=x refguest.port=70000 refguest.control=y refguest.shoe=1 refguest.verbose",
			want:    params{port: 3001}, wantErrs: 6,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, errs := parseParams(tc.cmdline)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(params{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
				cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
				t.Errorf("params (-want +got):\n%s", diff)
			}
			if len(errs) != tc.wantErrs {
				t.Errorf("%d errors, want %d: %v", len(errs), tc.wantErrs, errs)
			}
		})
	}
}

func TestLease(t *testing.T) {
	cases := map[string]struct {
		ack         dhcpv4.DHCPv4
		wantAddress string
		wantGateway string
		wantErr     bool
	}{
		"address, mask and router": {
			ack: dhcpv4.DHCPv4{YourIPAddr: net.IPv4(10, 1, 2, 3), Options: dhcpv4.OptionsFromList(
				dhcpv4.OptSubnetMask(net.CIDRMask(16, 32)), dhcpv4.OptRouter(net.IPv4(10, 1, 0, 1)))},
			wantAddress: "10.1.2.3/16", wantGateway: "10.1.0.1",
		},
		"no router, no mask": {ack: dhcpv4.DHCPv4{YourIPAddr: net.IPv4(10, 1, 2, 3)}, wantAddress: "10.1.2.3/24", wantGateway: "invalid IP"},
		"no address":         {ack: dhcpv4.DHCPv4{YourIPAddr: net.IPv4zero}, wantErr: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			address, gateway, err := fromLease(&tc.ack)
			if (err != nil) != tc.wantErr {
				t.Fatalf("error %v, want one: %v", err, tc.wantErr)
			}
			if err == nil && (address.String() != tc.wantAddress || gateway.String() != tc.wantGateway) {
				t.Errorf("lease %s via %s, want %s via %s", address, gateway, tc.wantAddress, tc.wantGateway)
			}
		})
	}
}
