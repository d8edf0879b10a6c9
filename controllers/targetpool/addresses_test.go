package targetpool

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/addresspool"
)

func addresses(t *testing.T, include ...string) *addresspool.Ranges {
	t.Helper()
	r, err := addresspool.Parse(include, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// street is a pool of addresses in 10.0.0.0/24. Sessions are described by the last part of their address
// and a letter: R ready, U not ready, r and u the same with an old template.
func street(t *testing.T, found []int, sessions map[int]string) *scope {
	t.Helper()
	s := world(1, "")
	s.scan = &scan{ranges: addresses(t, "10.0.0.0/24")}
	for _, n := range found {
		s.scan.found = append(s.scan.found, netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}))
	}
	for n, letter := range sessions {
		addr := netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)})
		ts := world(1, letter).sessions["arm-0"]
		ts.Name, ts.Spec.Address = nameAt("arm", addr), addr.String()
		s.sessions[ts.Name] = ts
	}
	s.wanted = addressed(s)
	return s
}

func TestDecideAboutAddresses(t *testing.T) {
	stranger := street(t, []int{1}, map[int]string{2: "R"})
	stranger.sessions["arm-10-0-0-2"].Name = "arm-0" // from when the pool was another one
	stranger.sessions = map[string]*v1alpha1.TargetSession{"arm-0": stranger.sessions["arm-10-0-0-2"]}
	stranger.wanted = addressed(stranger)
	broken := street(t, nil, map[int]string{1: "R"})
	broken.scan.err, broken.wanted = errors.New("spec.addresses[0]"), nil
	cases := map[string]struct {
		scope *scope
		want  string
	}{
		"nothing has answered":                        {street(t, nil, nil), ""},
		"what has answered gets a session":            {street(t, []int{9, 1}, nil), "apply arm-10-0-0-1, apply arm-10-0-0-9"},
		"what has one is left alone":                  {street(t, []int{1}, map[int]string{1: "R"}), ""},
		"a session outlives another manager":          {street(t, nil, map[int]string{1: "U"}), ""},
		"an address that left the pool":               {street(t, nil, map[int]string{1: "R", 300: "R"}), "delete arm-10-0-1-44"},
		"what answered before it was excluded":        {street(t, []int{300}, nil), ""},
		"a session with another name":                 {stranger, "delete arm-0, apply arm-10-0-0-1"},
		"a new template is applied to all":            {street(t, nil, map[int]string{1: "r", 2: "u", 3: "R", 4: "r"}), "apply arm-10-0-0-2, apply arm-10-0-0-1, apply arm-10-0-0-4"},
		"nothing is done while the addresses are bad": {broken, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, outline(decide(tc.scope))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReportOfAddresses(t *testing.T) {
	broken := street(t, nil, nil)
	broken.scan = &scan{err: errors.New(`spec.addresses[0] "10.0.0.9-10.0.0.1" runs backwards: write 10.0.0.1-10.0.0.9`)}
	crowded := street(t, []int{1}, map[int]string{1: "R"})
	crowded.scan.over = 7
	cases := map[string]struct {
		scope         *scope
		want, message string
		addresses     string
	}{
		"nothing has answered": {street(t, nil, nil), "False/Scanning", "none of 254 addresses has answered yet", "254"},
		"all are ready":        {street(t, nil, map[int]string{1: "R", 2: "R"}), "True/Ready", "all 2 targets are ready", "254"},
		"one is silent":        {street(t, nil, map[int]string{1: "R", 2: "U"}), "False/WaitingForTargets", "1 of 2 targets", "254"},
		"one is to be made":    {street(t, []int{1}, nil), "False/Scanning", "none of 254", "254"},
		"bad addresses":        {broken, "False/Invalid", "runs backwards", ""},
		"too many":             {crowded, "False/LimitReached", "7 more addresses have answered than the 10000 targets", "254"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			report(tc.scope, nil)
			st := tc.scope.pool.Status
			c := meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionReady)
			if got := string(c.Status) + "/" + c.Reason; got != tc.want || !strings.Contains(c.Message, tc.message) {
				t.Errorf("Ready = %s %q, want %s %q", got, c.Message, tc.want, tc.message)
			}
			if st.Addresses != tc.addresses {
				t.Errorf("addresses = %q, want %q", st.Addresses, tc.addresses)
			}
		})
	}
}

func TestOfTooManyThoseWithASessionStay(t *testing.T) {
	s := world(1, "")
	s.scan = &scan{ranges: addresses(t, "10.0.0.0-10.0.255.255")}
	last := netip.MustParseAddr("10.0.255.255")
	s.sessions[nameAt("arm", last)] = &v1alpha1.TargetSession{ObjectMeta: metav1.ObjectMeta{Name: nameAt("arm", last)}, Spec: v1alpha1.TargetSessionSpec{Address: last.String()}}
	for n := range 1 << 16 {
		s.scan.found = append(s.scan.found, netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}))
	}
	all := addressed(s)
	if len(all) != maxTargets || s.scan.over != 1<<16-maxTargets {
		t.Errorf("%d members, %d too many", len(all), s.scan.over)
	}
	if first, end := all[0], all[len(all)-1]; first.address != "10.0.0.0" || end.address != last.String() {
		t.Errorf("from %s to %s", first.address, end.address)
	}
}

func TestNamesOfAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"172.25.1.7": "boards-172-25-1-7",
		"::":         "boards-0000-0000-0000-0000-0000-0000-0000-0000",
		"fd00::7":    "boards-fd00-0000-0000-0000-0000-0000-0000-0007",
	} {
		if got := nameAt("boards", netip.MustParseAddr(address)); got != want {
			t.Errorf("name of %s = %s, want %s", address, got, want)
		}
	}
	if n := len(nameAt(strings.Repeat("x", 46), netip.MustParseAddr("fd00::7"))); n > 253 {
		t.Errorf("a name of %d characters", n)
	}
}

func TestASessionGetsItsAddress(t *testing.T) {
	s := street(t, []int{1}, nil)
	if got := build(s, s.wanted[0]); got.Spec.Address != "10.0.0.1" || got.Labels[v1alpha1.LabelPool] != "arm" {
		t.Errorf("session %s", fmt.Sprint(got))
	}
}
