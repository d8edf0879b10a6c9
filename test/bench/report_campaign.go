package main

import (
	"fmt"
	"io"
)

func (r *Report) printHey6(out io.Writer) {
	rows := [][]string{append([]string{"", "of raw loop", "ms/variant and target"}, distributionHead...)}
	for _, s := range r.Hey6 {
		rows = append(rows, append([]string{
			fmt.Sprintf("%d x %s", s.Targets, s.How), times(s.PerRaw), fmt.Sprintf("%.2f", s.PerVariant),
		}, s.Seconds.cells("%.3f")...))
	}
	printTable(out, fmt.Sprintf("Hey6, %d variants with one job of %d ms each: seconds from plan to last record", hey6Variants, hey6Job), rows)
	fmt.Fprintf(out, "  (%s)\n", r.Hey6Load)
}

func (r *Report) printSpace(out io.Writer) {
	if r.Space == nil {
		return
	}
	printTable(out, "Campaign of 10^9 variants: spec to first START, ms", [][]string{
		append([]string{""}, distributionHead...), append([]string{"1 of 8 fake targets"}, r.Space.FirstStart.cells("%.1f")...),
	})
	rows := [][]string{{"", "variants/s", "variants per core second", "memory grown, MiB", "at most", "n"}}
	for _, s := range r.Space.Runs {
		rows = append(rows, []string{
			fmt.Sprintf("%d %s", s.Targets, s.How), fmt.Sprintf("%.0f", s.PerSecond), fmt.Sprintf("%.0f", s.PerCore),
			fmt.Sprintf("%.1f", s.Grown), fmt.Sprintf("%.1f", s.Peak), fmt.Sprint(s.Variants),
		})
	}
	printTable(out, "The same, the first of its variants", rows)
	fmt.Fprintf(out, "  (%s)\n", r.SpaceLoad)
}

func (r *Report) printStore(out io.Writer) {
	rows := [][]string{{"", "records/s", "CPU, us/record", "syncs/s of the disk", "n"}}
	for _, s := range r.Stores {
		rows = append(rows, []string{
			fmt.Sprintf("%s, %d writers", s.How, s.Writers), fmt.Sprintf("%.0f", s.PerSecond), fmt.Sprintf("%.0f", s.CPU),
			fmt.Sprintf("%.0f", s.Syncs), fmt.Sprint(s.Records),
		})
	}
	printTable(out, "Durable records of one job each", rows)
	fmt.Fprintf(out, "  (%s)\n", r.StoreLoad)
}

func (r *Report) printFleet(out io.Writer) {
	f := r.Fleet
	if f == nil {
		return
	}
	printTable(out, fmt.Sprintf("One engine and %d fake targets with jobs of %d ms", f.Targets, fleetJob), [][]string{
		{"", "KiB/session", "goroutines/session", "variants/s", "CPU, us/variant"},
		{"engine and sessions", fmt.Sprintf("%.0f", f.Session), fmt.Sprintf("%.1f", f.Goroutines), fmt.Sprintf("%.0f", f.Variants), fmt.Sprintf("%.0f", f.CPU)},
	})
	rows := [][]string{append([]string{""}, distributionHead...)}
	for _, l := range f.Losses {
		rows = append(rows, append([]string{l.How + ": noticed after"}, l.Noticed.cells("%.1f")...))
		rows = append(rows, append([]string{l.How + ": at work again after"}, l.Working.cells("%.1f")...))
	}
	printTable(out, fmt.Sprintf("%d sessions lost at the same time, ms (after silence: work again counts from the thaw)", f.Losses[0].Noticed.N), rows)
	fmt.Fprintf(out, "  (%s)\n", r.FleetLoad)
}

func (r *Report) printSimulator(out io.Writer) {
	rows := [][]string{{"", "jobs/s", "jobs per core second", "of plain loop", "memory grown, MiB", "seconds", "n"}}
	for _, s := range r.Simulator {
		of := ""
		if s.PerPlain > 0 {
			of = times(s.PerPlain)
		}
		rows = append(rows, []string{
			fmt.Sprintf("%d tasks on %d: %s", s.Tasks, s.Processors, s.How), fmt.Sprintf("%.0f", s.PerSecond), fmt.Sprintf("%.0f", s.PerCore), of,
			fmt.Sprintf("%.1f", s.Memory), fmt.Sprintf("%.2f", s.Seconds), fmt.Sprint(s.Jobs),
		})
	}
	printTable(out, "Simulated jobs, each with its record", rows)
	fmt.Fprintf(out, "  (%s)\n", r.SimulatorLoad)
}
