package validation

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pool is a change that makes a pool of addresses out of the good one.
func pool(addresses ...string) string {
	return fmt.Sprintf(`{replicas: null, addresses: ["%s"], template: {spec: {class: Ping, qemu: null}}}`, strings.Join(addresses, `", "`))
}

func TestAddressesAreRefusedWithAdvice(t *testing.T) {
	no := `": is no address, network or range: write for example 172.25.2.7`
	many := make([]string, 256)
	for i := range many {
		many[i] = fmt.Sprintf("2001:db8:0:%x:1111:2222:3333:4444-2001:db8:0:%x:1111:2222:3333:5555", i, i)
	}
	cases := map[string]struct {
		kind, name, change string
		want               string // part of the answer; empty: accepted
	}{
		"an address":                      {kind: "TargetPool", change: pool("172.25.2.7")},
		"networks and ranges":             {kind: "TargetPool", change: pool("172.25.1.0/24", "172.25.3.10-172.25.3.20", "fd00::/120", "fd00::1-fd00::9", "10.0.0.0/31", "10.0.0.2/32", "fd00::7")},
		"as many as there may be":         {kind: "TargetPool", change: pool(many...)},
		"an address out of range":         {kind: "TargetPool", change: pool("999.1.1.1"), want: "999.1.1.1" + no},
		"host bits":                       {kind: "TargetPool", change: pool("10.0.0.1/24"), want: `10.0.0.1/24": has host bits set: name the network's first address`},
		"a prefix that is too long":       {kind: "TargetPool", change: pool("::1/129"), want: "::1/129" + no},
		"a range of one":                  {kind: "TargetPool", change: pool("10.0.0.1-"), want: "10.0.0.1-" + no},
		"a range of three":                {kind: "TargetPool", change: pool("10.0.0.1-10.0.0.2-10.0.0.3"), want: "10.0.0.1-10.0.0.2-10.0.0.3" + no},
		"a range of numbers":              {kind: "TargetPool", change: pool("10.0.0.1-20"), want: "10.0.0.1-20" + no},
		"a name":                          {kind: "TargetPool", change: pool("board.lab"), want: "board.lab" + no},
		"an address with its port":        {kind: "TargetPool", change: pool("10.0.0.1:3001"), want: "10.0.0.1:3001" + no},
		"an interface":                    {kind: "TargetPool", change: pool("fe80::1%eth0"), want: "fe80::1%eth0" + no},
		"the same entry twice":            {kind: "TargetPool", change: pool("10.0.0.1", "10.0.0.1"), want: "Duplicate value"},
		"no entry":                        {kind: "TargetPool", change: `{addresses: [], template: {spec: {class: Ping, qemu: null}}}`, want: "at least 1 item"},
		"addresses without a class":       {kind: "TargetPool", change: `{addresses: [10.0.0.1]}`, want: "addresses and a template of class Ping or Genode belong together"},
		"a class without addresses":       {kind: "TargetPool", change: `{template: {spec: {class: Genode, qemu: null}}}`, want: "addresses and a template of class Ping or Genode belong together"},
		"an address in the template":      {kind: "TargetPool", change: `{addresses: [10.0.0.1], template: {spec: {class: Ping, qemu: null, address: 10.0.0.1}}}`, want: "name their addresses in spec.addresses"},
		"an exclusion of nothing":         {kind: "TargetPool", change: `{excludeAddresses: [10.0.0.1]}`, want: "excludeAddresses needs addresses"},
		"a wrong exclusion":               {kind: "TargetPool", change: `{addresses: [10.0.0.0/24], excludeAddresses: [10.0.0.1/30], template: {spec: {class: Ping, qemu: null}}}`, want: `10.0.0.1/30": has host bits set`},
		"a board":                         {kind: "TargetSession", change: `{class: Ping, qemu: null, address: 172.25.1.7}`},
		"a board with a long name":        {kind: "TargetSession", name: strings.Repeat("x", 86), change: `{class: Genode, qemu: null, address: "fd00::7"}`},
		"a board without an address":      {kind: "TargetSession", change: `{class: Genode, qemu: null}`, want: "classes Ping and Genode need spec.address"},
		"a board with a machine":          {kind: "TargetSession", change: `{class: Ping, address: 172.25.1.7}`, want: "only class Qemu has spec.qemu"},
		"a board at a network":            {kind: "TargetSession", change: `{class: Ping, qemu: null, address: 172.25.1.0/24}`, want: "address must be an IPv4 or IPv6 address"},
		"a machine with an address":       {kind: "TargetSession", change: `{address: 172.25.1.7}`, want: "only classes Ping and Genode have an address"},
		"a dry run":                       {kind: "TargetSession", change: `{class: Stdio, qemu: null}`},
		"a dry run with an address":       {kind: "TargetSession", change: `{class: Stdio, qemu: null, address: 172.25.1.7}`, want: "only classes Ping and Genode have an address"},
		"a simulated target":              {kind: "TargetSession", change: `{class: SimSo, qemu: null}`},
		"a simulated target with a spec":  {kind: "TargetSession", change: `{class: SimSo, qemu: null, simso: {scheduler: simso.schedulers.EDF_mono, cpus: 4, schedulerOptions: {quantum: 1.5ms}, onMiss: Abort}}`},
		"a simulation at an address":      {kind: "TargetSession", change: `{class: SimSo, qemu: null, address: 172.25.1.7}`, want: "only classes Ping and Genode have an address"},
		"a dry run that is simulated":     {kind: "TargetSession", change: `{class: Stdio, qemu: null, simso: {cpus: 2}}`, want: "only class SimSo has spec.simso; remove it, or set class SimSo"},
		"a simulated machine":             {kind: "TargetSession", change: `{class: SimSo}`, want: "only class Qemu has spec.qemu"},
		"no processors":                   {kind: "TargetSession", change: `{class: SimSo, qemu: null, simso: {cpus: -1}}`, want: "spec.simso.cpus in body should be greater than or equal to 1"},
		"an unknown policy":               {kind: "TargetSession", change: `{class: SimSo, qemu: null, simso: {onMiss: Weep}}`, want: `supported values: "EndAtPeriod", "Continue", "Abort", "SkipNext"`},
		"an option with a blank":          {kind: "TargetSession", change: `{class: SimSo, qemu: null, simso: {schedulerOptions: {quantum: "1 ms"}}}`, want: "schedulerOptions.quantum in body should match"},
		"more than all of it":             {kind: "TargetSession", change: `{class: SimSo, qemu: null, simso: {leastExecutionPercent: 101}}`, want: "leastExecutionPercent in body should be less than or equal to 100"},
		"a pool of simulated targets":     {kind: "TargetPool", change: `{template: {spec: {class: SimSo, qemu: null, simso: {cpus: 2}}}}`},
		"a pool of dry runs":              {kind: "TargetPool", change: `{template: {spec: {class: Stdio, qemu: null}}}`},
		"a pool of dry runs at addresses": {kind: "TargetPool", change: `{addresses: [10.0.0.1], template: {spec: {class: Stdio, qemu: null}}}`, want: "addresses and a template of class Ping or Genode belong together"},
	}
	c, namespace := newClient(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.name == "" {
				tc.name = "x"
			}
			err := c.Create(t.Context(), build(t, tc.kind, tc.name, namespace, tc.change), client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("answer %v, want %q in it", err, tc.want)
			}
		})
	}
}
