package parity

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

func TestMain(m *testing.M) {
	if engineProcess() {
		os.Exit(1) // it should have been killed
	}
	goleak.VerifyTestMain(m)
}

// lab is an engine with a store and the class for taskloaders, in front of fake targets.
type lab struct {
	t       *testing.T
	Engine  *campaign.Engine
	Store   *results.SQLite
	Class   *taskloader.Class
	path    string // of the store
	targets []*faketarget.Target

	wrap        func(results.Store) results.Store // what the engine gets instead of the store
	observe     func(results.Notice)              // hears of every attempt
	cannotReset bool
	looked      atomic.Int32 // how often the engine asked for a standing
	fetched     atomic.Int32 // how often it asked for a binary
	resets      atomic.Int32
	changed     atomic.Int32 // reports of a changed campaign
	stop        func()
}

// newLab starts a lab that lasts as long as the test.
func newLab(t *testing.T, targets ...*faketarget.Target) *lab {
	t.Helper()
	return newLabWith(t, taskloader.Options{}, targets...)
}

func newLabWith(t *testing.T, o taskloader.Options, targets ...*faketarget.Target) *lab {
	t.Helper()
	l := &lab{t: t, targets: targets, path: filepath.Join(t.TempDir(), "results.db")}
	l.Class = taskloader.New(o)
	l.start()
	t.Cleanup(func() { l.stop() })
	return l
}

// start opens the store and starts the engine; stop ends both.
func (l *lab) start() {
	l.t.Helper()
	store, err := results.OpenSQLite(l.t.Context(), l.path)
	if err != nil {
		l.t.Fatal(err)
	}
	l.Store = store
	var used results.Store = store
	if l.wrap != nil {
		used = l.wrap(store)
	}
	l.Engine = campaign.New(campaign.Options{
		Store: used, Class: l.Class, Fleet: l, Changed: func(string) { l.changed.Add(1) }, Observe: l.observe,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = l.Engine.Start(ctx) })
	l.stop = sync.OnceFunc(func() {
		cancel()
		group.Wait()
		if err := store.Close(); err != nil {
			l.t.Error(err)
		}
	})
}

// Standing implements campaign.Fleet: every target is healthy for who only looks from outside.
func (l *lab) Standing(string) campaign.Standing {
	l.looked.Add(1)
	return campaign.Standing{Ready: true, Incarnation: 1, Managed: !l.cannotReset}
}

// Binary implements campaign.Fleet: no target comes with any.
func (l *lab) Binary(context.Context, string, string) ([]byte, error) {
	l.fetched.Add(1)
	return nil, campaign.ErrNoBinary
}

// Reset implements campaign.Fleet.
func (l *lab) Reset(_ context.Context, name string, _ campaign.Reset) error {
	l.resets.Add(1)
	if l.cannotReset {
		return campaign.ErrCannotReset
	}
	for i, target := range l.targets {
		if targetName(i) == name {
			target.Reboot()
		}
	}
	return nil
}

func targetName(i int) string { return string(rune('a' + i)) }

// fake starts a target that lasts as long as the test.
func fake(t *testing.T, o faketarget.Options) *faketarget.Target {
	t.Helper()
	target, err := faketarget.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(target.Close)
	return target
}

// specOf reads the spec of a TaskSet.
func specOf(t *testing.T, text string) *v1alpha1.TaskSetSpec {
	t.Helper()
	spec, err := parseSpec(text)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func parseSpec(text string) (*v1alpha1.TaskSetSpec, error) {
	var spec v1alpha1.TaskSetSpec
	if err := yaml.UnmarshalStrict([]byte(text), &spec); err != nil {
		return nil, fmt.Errorf("%w in\n%s", err, text)
	}
	return &spec, nil
}

// plan makes the campaign "c" of a spec, for all targets of the lab. Each pkg has a binary of 44 kB of
// its own.
func (l *lab) plan(text string) campaign.Plan { return l.planOf("c", text) }

func (l *lab) planOf(id, text string) campaign.Plan {
	l.t.Helper()
	p, err := campaign.FromSpec(id, "default/"+id, specOf(l.t, text))
	if err != nil {
		l.t.Fatal(err)
	}
	for _, pkg := range []string{"hey", "pi", "namaste", "idle", "linpack", "tumatmul", "cond_mod", "cond_42"} {
		p.Binaries[pkg] = binary(pkg, 44_372)
	}
	for i, target := range l.targets {
		p.Targets = append(p.Targets, session.Target{Name: targetName(i), Address: target.Address(), Generation: target.Generation()})
	}
	return p
}

// binary is an ELF file of so many bytes, if one believes its beginning.
func binary(pkg string, size int) session.Binary {
	content := []byte(strings.Repeat("\x7fELF "+pkg, size/(5+len(pkg))+1)[:size])
	return session.Binary{Name: pkg, Content: content, SHA256: sha256.Sum256(content)}
}

// run runs a campaign to its end and returns its final records by variant.
func (l *lab) run(p campaign.Plan) []results.Record {
	l.t.Helper()
	l.Engine.Apply(p)
	l.await("completion", complete)
	return l.finals(p.Total)
}

func complete(s campaign.Snapshot) bool { return s.State == campaign.StateComplete }

// await polls the campaign until ok holds.
func (l *lab) await(what string, ok func(campaign.Snapshot) bool) campaign.Snapshot {
	l.t.Helper()
	return l.awaitOf("c", what, ok)
}

func (l *lab) awaitOf(id, what string, ok func(campaign.Snapshot) bool) campaign.Snapshot {
	l.t.Helper()
	deadline := time.After(50 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		s, there := l.Engine.Snapshot(id)
		if there && ok(s) {
			return s
		}
		select {
		case <-tick.C:
		case <-deadline:
			l.t.Fatalf("waiting for %s: %+v", what, s)
		}
	}
}

// records are all records of the campaign, as they were written.
func (l *lab) records() []results.Record {
	l.t.Helper()
	var out []results.Record
	if err := l.Store.Each(l.t.Context(), "c", func(r results.Record) error { out = append(out, r); return nil }); err != nil {
		l.t.Fatal(err)
	}
	return out
}

// finals checks that each of the variants has exactly one final record and returns these in order.
func (l *lab) finals(total uint64) []results.Record {
	l.t.Helper()
	var out []results.Record
	for _, r := range l.records() {
		if r.Final {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b results.Record) int { return cmp.Compare(a.Variant, b.Variant) })
	for i, r := range out {
		if r.Variant != uint64(i) {
			l.t.Fatalf("final record %d is of variant %d", i, r.Variant)
		}
	}
	if uint64(len(out)) != total {
		l.t.Fatalf("%d final records of %d variants", len(out), total)
	}
	return out
}

// reasons are the reasons of the attempts that were not the last ones.
func (l *lab) reasons() []string {
	l.t.Helper()
	var out []string
	for _, r := range l.records() {
		if !r.Final {
			out = append(out, r.Reason)
		}
	}
	return out
}

func succeeded(t *testing.T, records []results.Record) {
	t.Helper()
	for _, r := range records {
		if !r.Succeeded {
			t.Errorf("variant %d failed: %s: %s", r.Variant, r.Reason, r.Message)
		}
	}
}

// outcomes are how the jobs of a record ended.
func outcomes(r results.Record) []string {
	var out []string
	for _, j := range r.Jobs {
		out = append(out, j.Task+" "+j.Outcome)
	}
	return out
}

// starts are the descriptions that a target got, in order.
func starts(target *faketarget.Target) [][]faketarget.Task {
	var out [][]faketarget.Task
	for _, r := range target.Log() {
		if r.What == "SEND_DESCS" {
			out = append(out, r.Tasks)
		}
	}
	return out
}

// Task-sets that many tests use.
const (
	one  = "tasks: [{name: hello, pkg: hey, priority: 10}]\n"
	hey6 = one + "sweeps: [{task: hello, attribute: priority, range: {from: 1, to: 127}}]\n"
	four = one + "sweeps: [{task: hello, attribute: priority, range: {from: 1, to: 4}}]\n"
	two  = "tasks: [{name: hello, pkg: hey, priority: 10}, {name: load, pkg: pi, priority: 50}]\n"
)
