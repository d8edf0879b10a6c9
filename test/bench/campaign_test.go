package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/testenv/postgres"
)

// campaignOptions are options for a very short run of the parts that need no guest.
func campaignOptions(t *testing.T, only ...string) *options {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	o := &options{}
	o.register(&cobra.Command{})
	o.quick, o.only, o.output = true, only, "text"
	if err := o.complete(func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	o.rounds, o.long, o.records, o.fleet = 1, 2000, 200, 20
	return o
}

// TestTheCampaignPartsHaveResults looks at what must hold on any machine.
func TestTheCampaignPartsHaveResults(t *testing.T) {
	var out bytes.Buffer
	b := &bench{}
	err := b.measure(t.Context(), campaignOptions(t, "campaign"), &out, &progress{out: t.Output()})
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
	r := b.report
	for _, s := range r.Hey6 {
		if least := hey6Variants * hey6Job / 1000.0 / float64(s.Targets); s.Seconds.Min < least || s.PerRaw <= 0 {
			t.Errorf("less time than the jobs take: %+v", s)
		}
	}
	for _, s := range r.Space.Runs {
		if s.PerSecond <= 0 || s.PerCore <= 0 || s.Variants < 100 {
			t.Errorf("space: %+v", s)
		}
	}
	for _, s := range r.Stores {
		if s.PerSecond <= 0 || s.Syncs <= 0 {
			t.Errorf("store: %+v", s)
		}
	}
	for _, l := range r.Fleet.Losses {
		if l.Noticed.N != 20 || l.Working.N != 20 {
			t.Errorf("losses: %+v", l)
		}
	}
	if f := r.Fleet; len(r.Hey6) != 6 || r.Space.FirstStart.N == 0 || len(r.Stores) < 2 || len(f.Losses) != 2 || f.Session <= 0 || f.Variants <= 0 {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{"of raw loop", "first START", "records/s", "KiB/session", "reset: noticed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tables do not say %q", want)
		}
	}
}

func TestAnInterruptedFleetEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	o := campaignOptions(t, partFleet)
	o.steady = time.Hour
	err := new(bench).measure(ctx, o, &bytes.Buffer{}, &progress{out: t.Output()})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("measure = %v", err)
	}
}

func TestFakesSayWhatTheyDoNotUnderstand(t *testing.T) {
	for order, want := range map[string]string{
		`{"do":"drop","count":3}`: "there are 2 targets", `{"do":"dance","count":1}`: "unknown order dance", `drop`: "invalid character",
	} {
		var out bytes.Buffer
		if err := holdFakes(2, 0, strings.NewReader(order+"\n"), &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %q", order, err, want)
		}
	}
}

func TestPostgreSQLIsMeasuredToo(t *testing.T) {
	dsn := postgres.Start(t).Database() // in a folder that its own user can pass through
	o := campaignOptions(t, partStore)
	o.postgres = dsn
	var out bytes.Buffer
	b := &bench{}
	err := b.measure(t.Context(), o, &out, &progress{out: t.Output()})
	t.Log("\n" + out.String())
	if err != nil || len(b.report.Stores) != 4 || b.report.Stores[3].How != "PostgreSQL" || b.report.Stores[3].PerSecond <= 0 {
		t.Errorf("%v: %+v", err, b.report.Stores)
	}
}
