package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Report is everything that was measured; parts that were not are left out.
type Report struct {
	Machine MachineFacts `json:"machine"`

	Freezes     []FreezeSeries `json:"freezes,omitempty"`
	FreezesLoad Load           `json:"freezesLoad,omitzero"`

	Busy     []BusySeries `json:"busy,omitempty"`
	BusyLoad Load         `json:"busyLoad,omitzero"`

	Footprint []Footprint  `json:"footprint,omitempty"`
	Echoes    []EchoSeries `json:"echoes,omitempty"`
	IdleLoad  Load         `json:"idleLoad,omitzero"`

	Throughput   []Throughput `json:"throughput,omitempty"`
	VariantsLoad Load         `json:"variantsLoad,omitzero"`

	Hey6     []CampaignSeries `json:"hey6,omitempty"`
	Hey6Load Load             `json:"hey6Load,omitzero"`

	Space     *SpaceSeries `json:"space,omitempty"`
	SpaceLoad Load         `json:"spaceLoad,omitzero"`

	Stores    []StoreSeries `json:"stores,omitempty"`
	StoreLoad Load          `json:"storeLoad,omitzero"`

	Fleet     *FleetSeries `json:"fleet,omitempty"`
	FleetLoad Load         `json:"fleetLoad,omitzero"`

	Simulator     []SimulatorRun `json:"simulator,omitempty"`
	SimulatorLoad Load           `json:"simulatorLoad,omitzero"`
}

// errFalseAlarm marks errors that say that a healthy guest was taken for a frozen one.
var errFalseAlarm = errors.New("false alarm")

// failure is an error when something went wrong; slow numbers are none.
func (r *Report) failure() error {
	var all []error
	for _, s := range r.Freezes {
		if s.Failure != "" {
			all = append(all, fmt.Errorf("%s, %s: %s", s.Step, s.Setting, s.Failure))
		}
		if s.FalseAlarms > 0 {
			all = append(all, fmt.Errorf("%s, %s: %w: %d verdicts without a freeze", s.Step, s.Setting, errFalseAlarm, s.FalseAlarms))
		}
	}
	for _, s := range r.Busy {
		if s.FalseAlarms > 0 {
			all = append(all, fmt.Errorf("%s, %s: %w: %d verdicts", s.Load, s.Setting, errFalseAlarm, s.FalseAlarms))
		}
	}
	return errors.Join(all...)
}

// printTable writes a title and aligned columns: the first to the left, numbers to the right.
func printTable(out io.Writer, title string, rows [][]string) {
	fmt.Fprintf(out, "\n%s\n", title)
	first := 0
	for _, row := range rows {
		first = max(first, len(row[0]))
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		label := row[0] + strings.Repeat(" ", first-len(row[0]))
		fmt.Fprintf(table, "  %s\t%s\t\n", label, strings.Join(row[1:], "\t"))
	}
	_ = table.Flush() // standard output is gone: whoever wanted to know is, too
}

func (d Distribution) cells(format string) []string {
	var out []string
	for _, v := range []float64{d.Min, d.P50, d.P90, d.P99, d.Max} {
		out = append(out, fmt.Sprintf(format, v))
	}
	return append(out, fmt.Sprint(d.N))
}

var distributionHead = []string{"min", "p50", "p90", "p99", "max", "n"}

func (r *Report) printFreezes(out io.Writer) {
	for _, s := range []struct {
		title string
		of    func(FreezeSeries) Distribution
	}{
		{"Detection: freeze to verdict, ms", func(s FreezeSeries) Distribution { return s.Detection }},
		{"Silence: last answered echo to verdict, ms", func(s FreezeSeries) Distribution { return s.Silence }},
		{"Outage: verdict to next answered echo, ms", func(s FreezeSeries) Distribution { return s.Outage }},
		{"All of it: freeze to next answered echo, ms", func(s FreezeSeries) Distribution { return s.Total }},
		{"Back at work: freeze to ready for sessions, ms", func(s FreezeSeries) Distribution { return s.Ready }},
	} {
		rows := [][]string{append([]string{""}, distributionHead...)}
		for _, f := range r.Freezes {
			rows = append(rows, append([]string{f.label()}, s.of(f).cells("%.0f")...))
		}
		printTable(out, s.title, rows)
	}
	printTable(out, "Ratios of medians", r.freezeRatios())
	fmt.Fprintf(out, "  (%s)\n", r.FreezesLoad)
	for _, f := range r.Freezes {
		if f.Failure != "" {
			fmt.Fprintf(out, "  FAILED %s: %s\n", f.label(), f.Failure)
		}
	}
}

func (s FreezeSeries) label() string {
	return fmt.Sprintf("%s, %s (%d/%d)", s.Step, s.Setting, s.IntervalMS, s.TimeoutMS)
}

// freezeRatios compares each series with its own time-out and with the cheapest step of the same setting.
func (r *Report) freezeRatios() [][]string {
	cheapest := map[string]FreezeSeries{}
	for _, s := range r.Freezes {
		if _, there := cheapest[s.Setting]; !there {
			cheapest[s.Setting] = s
		}
	}
	rows := [][]string{{"", "detection/time-out", "outage/detection", "outage/that of the first step", "false alarms"}}
	for _, s := range r.Freezes {
		rows = append(rows, []string{
			s.label(), times(ratio(s.Detection.P50, float64(s.TimeoutMS))), times(ratio(s.Outage.P50, s.Detection.P50)),
			times(ratio(s.Outage.P50, cheapest[s.Setting].Outage.P50)), fmt.Sprint(s.FalseAlarms),
		})
	}
	return rows
}

func times(f float64) string { return fmt.Sprintf("%.2f x", f) }

func (r *Report) printBusy(out io.Writer) {
	rows := [][]string{{"", "minutes", "false alarms", "withdrawn", "echoes", "round trip p50 ms", "p99", "max", "longest gap ms", "at second", "gap/time-out"}}
	for _, s := range r.Busy {
		rows = append(rows, []string{
			s.Load + ", " + s.Setting, fmt.Sprintf("%.1f", s.Seconds/60), fmt.Sprint(s.FalseAlarms), fmt.Sprint(s.Withdrawn),
			fmt.Sprint(s.RoundTrip.N), fmt.Sprintf("%.2f", s.RoundTrip.P50), fmt.Sprintf("%.2f", s.RoundTrip.P99),
			fmt.Sprintf("%.2f", s.RoundTrip.Max), fmt.Sprintf("%.0f", s.LongestGap), fmt.Sprintf("%.0f", s.LongestAt), times(s.OfTimeout),
		})
	}
	printTable(out, "False alarms: busy and healthy guests", rows)
	fmt.Fprintf(out, "  (%s)\n", r.BusyLoad)
}

func (r *Report) printIdle(out io.Writer) {
	if len(r.Footprint) > 0 {
		rows := [][]string{{"", "CPU, % of a core", "RSS, MiB", "of it private, MiB"}}
		for _, f := range r.Footprint {
			for _, p := range []struct {
				name string
				cost Cost
			}{{"agent", f.Agent}, {"QEMU", f.QEMU}} {
				rows = append(rows, []string{
					p.name + ", " + f.Setting, fmt.Sprintf("%.2f", p.cost.CPU), fmt.Sprintf("%.1f", p.cost.Resident), fmt.Sprintf("%.1f", p.cost.Private),
				})
			}
			rows = append(rows, []string{
				"agent/QEMU, " + f.Setting, times(ratio(f.Agent.CPU, f.QEMU.CPU)), times(ratio(f.Agent.Resident, f.QEMU.Resident)), times(ratio(f.Agent.Private, f.QEMU.Private)),
			})
		}
		printTable(out, fmt.Sprintf("Footprint of one idle target, over %.0f s", r.Footprint[0].Seconds), rows)
	}
	if len(r.Echoes) > 0 {
		rows := [][]string{append(append([]string{""}, distributionHead...), "longest gap")}
		for _, e := range r.Echoes {
			rows = append(rows, append(append([]string{e.Setting}, e.RoundTrip.cells("%.2f")...), fmt.Sprintf("%.0f", e.LongestGap)))
		}
		printTable(out, "Round trip of an echo into an idle guest, ms", rows)
	}
	fmt.Fprintf(out, "  (%s)\n", r.IdleLoad)
}

func (r *Report) printVariants(out io.Writer) {
	rows := [][]string{{"", "variants/s", "of raw loop", "of 1 target", "sent, bytes/variant", "received, bytes/variant", "n"}}
	single := map[string]float64{}
	for _, t := range r.Throughput {
		if t.Targets == 1 {
			single[t.How] = t.PerSecond
		}
		rows = append(rows, []string{
			fmt.Sprintf("%d x %s", t.Targets, t.How), fmt.Sprintf("%.0f", t.PerSecond), times(t.PerRaw),
			times(ratio(t.PerSecond, single[t.How])), fmt.Sprintf("%.0f", t.SentBytes), fmt.Sprintf("%.0f", t.ReceivedBytes), fmt.Sprint(t.Variants),
		})
	}
	printTable(out, "Variants per second on targets in this process, whose jobs need no time", rows)
	fmt.Fprintf(out, "  (%s)\n", r.VariantsLoad)
}
