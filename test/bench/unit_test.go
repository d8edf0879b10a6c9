package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

func TestDistributions(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	cases := map[string]struct {
		values []float64
		want   Distribution
	}{
		"nothing was measured":                {nil, Distribution{}},
		"one value is all there is":           {[]float64{7}, Distribution{1, 7, 7, 7, 7, 7}},
		"the median of two is the smaller":    {[]float64{9, 1}, Distribution{2, 1, 1, 9, 9, 9}},
		"of a hundred, so many are no larger": {hundred, Distribution{100, 1, 50, 90, 99, 100}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, distribution(tc.values)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestADistributionIsInOrderAndLeavesItsValuesAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 1, 200).Draw(t, "values")
		before := append([]float64(nil), values...)
		d := distribution(values)
		if d.Min > d.P50 || d.P50 > d.P90 || d.P90 > d.P99 || d.P99 > d.Max || d.N != len(values) {
			t.Fatalf("%+v", d)
		}
		if diff := cmp.Diff(before, values); diff != "" {
			t.Fatalf("the values were changed:\n%s", diff)
		}
	})
}

func TestTheTimesOfAFreeze(t *testing.T) {
	said := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(ms int) time.Time { return said.Add(time.Duration(ms) * time.Millisecond) }
	cases := map[string]struct {
		recovery agentapi.Recovery
		ready    time.Time
		want     freeze
	}{
		"the last answer came before the freeze": {
			agentapi.Recovery{Time: at(850), SilentMilliseconds: 900, OutageMilliseconds: 120}, at(980),
			freeze{Silence: 900, Detection: 800, Outage: 120, Ready: 930},
		},
		"the guest still answered while it was about to freeze": {
			agentapi.Recovery{Time: at(960), SilentMilliseconds: 900, OutageMilliseconds: 120}, at(1090),
			freeze{Silence: 900, Detection: 900, Outage: 120, Ready: 1030},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, timesOf(said, tc.recovery, tc.ready)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMetricsAreAddedUp(t *testing.T) {
	m := parseMetrics([]byte(`# HELP genode_guest_unhealthy_total Times that the guest was found unhealthy, by verdict.
genode_guest_unhealthy_total{verdict="SilentToPing"} 2
genode_guest_unhealthy_total{verdict="QEMUExited"} 1
genode_guest_unhealthy_total_of_something_else 40
genode_guest_oddities_total{kind="FalseAlarm"} 1
genode_guest_oddities_total{kind="GuestReset"} 7
nonsense
a_word NaNsense
`))
	if got := m.alarms(); got != (alarms{verdicts: 3, withdrawn: 1}) {
		t.Errorf("alarms %+v", got)
	}
	if len(m) != 5 {
		t.Errorf("%d metrics: %v", len(m), m)
	}
}

func TestCPUTimeIsReadBehindAnyName(t *testing.T) {
	cases := map[string]struct {
		line    string
		want    float64
		wantErr string
	}{
		"a plain name":          {"12 (agent) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0", 3, ""},
		"a name with a ) in it": {"12 (a) S 9 (b) S 1 2 3 4 5 6 7 8 9 10 100 0 0 0", 1, ""},
		"a line that is cut":    {"12 (agent) S 1 2", 0, "3 fields"},
		"no numbers":            {"12 (agent) S 1 2 3 4 5 6 7 8 9 10 x y 0", 0, `times "x" and "y"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseCPU(tc.line, "stat")
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("error %v does not say %q", err, tc.wantErr)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("%v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

func TestGapsBetweenAnswers(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	look := func(atMS, answeredMS int) agentapi.State {
		s := agentapi.State{Time: start.Add(time.Duration(atMS) * time.Millisecond), RoundTripMicroseconds: 500}
		if answeredMS >= 0 {
			s.LastEcho = start.Add(time.Duration(answeredMS) * time.Millisecond)
		}
		return s
	}
	cases := map[string]struct {
		looks     []agentapi.State
		want      time.Duration
		wantTrips int
	}{
		"one look says nothing":                    {[]agentapi.State{look(100, 90)}, 0, 0},
		"the same answer twice is one":             {[]agentapi.State{look(100, 90), look(150, 90)}, 60 * time.Millisecond, 0},
		"the time between two answers is a gap":    {[]agentapi.State{look(100, 90), look(400, 390), look(500, 490)}, 300 * time.Millisecond, 2},
		"silence at the end counts":                {[]agentapi.State{look(100, 90), look(200, 190), look(900, 190)}, 710 * time.Millisecond, 1},
		"a guest that has not answered yet is new": {[]agentapi.State{look(100, -1), look(900, 890)}, 0, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var e echoes
			var last agentapi.State
			for _, s := range tc.looks {
				e.add(last, s)
				last = s
			}
			if e.longest != tc.want || len(e.roundTrips) != tc.wantTrips {
				t.Errorf("longest %s, %d round trips; want %s, %d", e.longest, len(e.roundTrips), tc.want, tc.wantTrips)
			}
		})
	}
}

func TestProgressSaysHowMuchIsLeft(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := run{progress: &progress{}, total: 4, started: start}
	if got := r.text(start, "x"); got != "[........................] 0/4  ? left  x" {
		t.Errorf("at the start: %q", got)
	}
	r.done = 1
	if got := r.text(start.Add(10*time.Second), "x"); got != "[######..................] 1/4  30s left  x" {
		t.Errorf("after a quarter: %q", got)
	}
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	cases := map[string]struct {
		args []string
		want string
	}{
		"a part that there is not":    {[]string{"--only=restore,everything"}, `--only "everything": use restore, reset`},
		"a format that there is not":  {[]string{"--output=yaml"}, `--output "yaml": use text or json`},
		"no freezes":                  {[]string{"--freezes=0"}, "must be at least 1"},
		"too short to see anything":   {[]string{"--busy=1ms"}, "must be at least 1s"},
		"an agent that was not built": {[]string{"--only=echo", "--agent=/nowhere/agent"}, `build it with "make build"`},
		"a guest that was not built":  {[]string{"--only=echo", "--agent=/bin/sh", "--guest=/nowhere"}, `build it with "make guest"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cmd := command()
			cmd.SetArgs(tc.args)
			if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not say %q", err, tc.want)
			}
		})
	}
}

func TestQuickLeavesWhatWasAskedFor(t *testing.T) {
	o := options{quick: true, only: []string{partVariants}, output: "text", freezes: 7, variants: 3000, busy: time.Minute, idle: time.Minute, echoes: time.Minute, tasks: t.TempDir()}
	_ = o.complete(func(flag string) bool { return flag == "freezes" }) // the folder of tasks is empty
	if o.freezes != 7 || o.variants != 100 || o.busy != 6*time.Second {
		t.Errorf("freezes %d, variants %d, busy %s", o.freezes, o.variants, o.busy)
	}
}
