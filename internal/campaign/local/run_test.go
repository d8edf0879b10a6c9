package local_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/addresspool"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/local"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/stdio"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sweep = `{tasks: [{name: hello, pkg: hey}], sweeps: [{task: hello, attribute: priority, range: {from: 1, to: 40}}]}`

// lab is what a run needs.
type lab struct {
	local.Options
	port    uint16
	path    string // of the store
	targets []*faketarget.Target
}

// newLab starts fakes at 127.0.0.1 and on, all with the same port.
func newLab(t *testing.T, fakes int, o faketarget.Options) *lab {
	t.Helper()
	l := &lab{path: filepath.Join(t.TempDir(), "results.db")}
	for i := range fakes {
		o.Address = net.JoinHostPort("127.0.0."+strconv.Itoa(i+1), strconv.Itoa(int(l.port)))
		target, err := faketarget.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(target.Close)
		l.port = netip.MustParseAddrPort(target.Address()).Port()
		l.targets = append(l.targets, target)
	}
	var spec v1alpha1.TaskSetSpec
	if err := yaml.UnmarshalStrict([]byte(sweep), &spec); err != nil {
		t.Fatal(err)
	}
	plan, err := campaign.FromSpec("c", "c", &spec)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "hey"), []byte("\x7fELF"), 0o600); err != nil {
		t.Fatal(err)
	}
	if plan.Binaries, err = local.Binaries(folder, []string{"hey"}); err != nil {
		t.Fatal(err)
	}
	ranges, err := addresspool.Parse([]string{"127.0.0.0/29"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	class := taskloader.New(taskloader.Options{})
	l.Options = local.Options{
		Plan: plan, Class: session.Classes{"Genode": class}, ClassName: "Genode",
		Addresses: ranges, Port: l.port, Generation: "Auto",
	}
	l.open(t)
	return l
}

func (l *lab) open(t *testing.T) {
	t.Helper()
	store, err := results.OpenSQLite(t.Context(), l.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	l.Store = store
}

// finals counts the final records of each variant, and lists the targets that ran them.
func (l *lab) finals(t *testing.T) (variants map[uint64]int, targets map[string]bool) {
	t.Helper()
	variants, targets = map[uint64]int{}, map[string]bool{}
	if err := l.Store.Each(t.Context(), "c", func(r results.Record) error {
		if r.Final {
			variants[r.Variant]++
			targets[r.Target] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return variants, targets
}

func TestACampaignRunsOnWhoAnswers(t *testing.T) {
	l := newLab(t, 3, faketarget.Options{Job: faketarget.Takes(10)})
	reported := 0
	l.Progress = func(local.Progress) { reported++ }
	last, err := local.Run(t.Context(), l.Options)
	if err != nil {
		t.Fatal(err)
	}
	variants, targets := l.finals(t)
	if len(variants) != 40 || last.Finished != 40 || last.Tally.Succeeded != 40 {
		t.Errorf("%d variants recorded, progress %+v", len(variants), last)
	}
	if len(targets) != 3 || !targets["127.0.0.2"] {
		t.Errorf("targets %v, want the three of six addresses that answer", targets)
	}
	if reported < 2 {
		t.Errorf("progress was reported %d times", reported)
	}
}

func TestAStoppedCampaignGoesOn(t *testing.T) {
	l := newLab(t, 1, faketarget.Options{Job: faketarget.Takes(20)})
	ctx, cancel := context.WithCancel(t.Context())
	var seen atomic.Uint64
	l.Progress = func(p local.Progress) {
		if seen.Store(p.Finished); p.Finished >= 5 {
			cancel()
		}
	}
	last, err := local.Run(ctx, l.Options)
	if !errors.Is(err, local.ErrStopped) || last.Running != 0 {
		t.Fatalf("error %v, %d still running", err, last.Running)
	}
	if last.Finished < 5 || last.Finished >= 40 {
		t.Fatalf("%d variants finished when it was stopped", last.Finished)
	}
	if l.targets[0].Count("STOP") == 0 {
		t.Error("the target was never told to stop")
	}
	if err := l.Store.Close(); err != nil {
		t.Fatal(err)
	}
	l.open(t)
	l.Progress = nil
	if last, err = local.Run(t.Context(), l.Options); err != nil || last.Finished != 40 {
		t.Fatalf("the second run: %v, %d finished", err, last.Finished)
	}
	variants, _ := l.finals(t)
	for v, n := range variants {
		if n != 1 {
			t.Errorf("variant %d has %d final records", v, n)
		}
	}
	if len(variants) != 40 {
		t.Errorf("%d variants recorded, want 40", len(variants))
	}
}

func TestADryRunNeedsNoTarget(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	var out strings.Builder
	l.Class, l.ClassName, l.Addresses = session.Classes{"Stdio": stdio.New(&out)}, "Stdio", nil
	l.Fixed = []session.Target{{Name: "dry run", Class: "Stdio"}}
	if _, err := local.Run(t.Context(), l.Options); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "<taskset>"); got != 40 {
		t.Errorf("%d task-sets printed, want 40", got)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	if _, err := local.Binaries(t.TempDir(), []string{"pi", "hey"}); err == nil || !strings.Contains(err.Error(), "no file for hey, pi in") {
		t.Errorf("missing binaries: %v", err)
	}
	l := newLab(t, 0, faketarget.Options{})
	l.Addresses = nil
	if _, err := local.Run(t.Context(), l.Options); err == nil || !strings.Contains(err.Error(), "172.25.1.0/24") {
		t.Errorf("no addresses: %v", err)
	}
}

func TestATargetThatServesSomebodyElseIsLeftAlone(t *testing.T) {
	l := newLab(t, 2, faketarget.Options{Job: faketarget.Takes(40)})
	somebody, err := taskloader.New(taskloader.Options{}).Connect(t.Context(), session.Target{
		Name: "taken", Address: l.targets[1].Address(), Generation: l.targets[1].Generation(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer somebody.Close()
	if err := l.targets[1].Await(t.Context(), faketarget.Opened, 1); err != nil {
		t.Fatal(err)
	}
	var told atomic.Int32
	l.Class = session.Classes{"Genode": taskloader.New(taskloader.Options{IOTimeout: 200 * time.Millisecond})}
	l.Generation = "1608b"
	l.Log = funcr.New(func(_, args string) {
		if strings.Contains(args, "serves another client") && strings.Contains(args, `"target"="127.0.0.2"`) {
			told.Add(1)
		}
	}, funcr.Options{})
	looked := 0
	l.Progress = func(p local.Progress) {
		if told.Load() > 0 && p.Targets == 1 {
			looked++
		}
	}
	if last, err := local.Run(t.Context(), l.Options); err != nil || last.Tally.Succeeded != 40 {
		t.Errorf("%v, %+v", err, last)
	}
	if _, targets := l.finals(t); len(targets) != 1 || !targets["127.0.0.1"] {
		t.Errorf("targets %v", targets)
	}
	if told.Load() != 1 || looked == 0 {
		t.Errorf("told %d times that it is in use; it was left alone in %d looks", told.Load(), looked)
	}
	if l.targets[1].Count("SEND_DESCS") != 0 {
		t.Error("the other client was disturbed")
	}
}

func TestATargetThatComesLaterIsUsed(t *testing.T) {
	l := newLab(t, 1, faketarget.Options{RefuseFor: 700 * time.Millisecond})
	if last, err := local.Run(t.Context(), l.Options); err != nil || last.Finished != 40 {
		t.Errorf("%v, %d finished", err, last.Finished)
	}
}
