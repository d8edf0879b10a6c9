package examples

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/utils/clock"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// haste is how much faster time goes on the fake targets, so that minutes of periods pass in seconds.
const haste = 20

// hasty is a clock that runs so fast.
type hasty struct {
	clock.RealClock
	began time.Time
}

func (h hasty) Now() time.Time { return h.began.Add(haste * time.Since(h.began)) }

func (h hasty) NewTimer(d time.Duration) clock.Timer { return h.RealClock.NewTimer(d / haste) }

// busy is a Job function: a job takes a millisecond for each so many of config.arg1, and at least one.
func busy(perMS int64) func(faketarget.Job) faketarget.Plan {
	return func(j faketarget.Job) faketarget.Plan {
		if j.Task.Pkg == "idle" {
			return faketarget.Plan{Milliseconds: faketarget.Endless}
		}
		_, text, _ := strings.Cut(j.Task.Elements["config"], "<arg1>")
		text, _, _ = strings.Cut(text, "<")
		arg, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			arg = 0
		}
		return faketarget.Plan{Milliseconds: max(1, arg/perMS)}
	}
}

// fleet are the targets of a lab; all of them are always ready.
type fleet struct {
	mu           sync.Mutex
	targets      map[string]*faketarget.Target
	incarnations map[string]int64
}

// Standing implements campaign.Fleet.
func (f *fleet) Standing(name string) campaign.Standing {
	f.mu.Lock()
	defer f.mu.Unlock()
	return campaign.Standing{Ready: true, Incarnation: 1 + f.incarnations[name], HostClass: "Genode/fake"}
}

// Binary implements campaign.Fleet: the campaign has them all.
func (f *fleet) Binary(context.Context, string, string) ([]byte, error) {
	return nil, campaign.ErrNoBinary
}

// Reset implements campaign.Fleet.
func (f *fleet) Reset(_ context.Context, name string, _ campaign.Reset) error {
	f.targets[name].Reboot()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.incarnations[name]++
	return nil
}

// outcome is what is left of a campaign.
type outcome struct {
	plan campaign.Plan
	db   *sql.DB
}

// run runs a campaign to its end on so many fake targets.
func run(t *testing.T, name string, spec *v1alpha1.TaskSetSpec, targets int, o faketarget.Options) outcome {
	t.Helper()
	plan, err := campaign.FromSpec("uid-of-"+name, "default/"+name, spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range []string{"hey", "namaste", "idle", "cond_42", "cond_mod", "linpack", "pi", "tumatmul"} {
		content := []byte("\x7fELF " + pkg)
		plan.Binaries[pkg] = session.Binary{Name: pkg, Content: content, SHA256: sha256.Sum256(content)}
	}
	f := &fleet{targets: map[string]*faketarget.Target{}, incarnations: map[string]int64{}}
	for i := range targets {
		o.Clock = hasty{began: time.Now()}
		target, err := faketarget.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(target.Close)
		id := fmt.Sprintf("target-%d", i)
		f.targets[id] = target
		plan.Targets = append(plan.Targets, session.Target{Name: id, Address: target.Address(), Generation: target.Generation()})
	}
	path := filepath.Join(t.TempDir(), "results.db")
	toTheEnd(t, plan, f, path)
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return outcome{plan, db}
}

// toTheEnd runs an engine until the campaign is complete.
func toTheEnd(t *testing.T, plan campaign.Plan, f *fleet, path string) {
	t.Helper()
	store, err := results.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	changed := make(chan struct{}, 1)
	engine := campaign.New(campaign.Options{Store: store, Class: taskloader.New(taskloader.Options{}), Fleet: f, Changed: func(string) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = engine.Start(ctx) })
	defer func() {
		cancel()
		group.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	engine.Apply(plan)
	limit := time.NewTimer(60 * time.Second)
	defer limit.Stop()
	for {
		s, there := engine.Snapshot(plan.ID)
		if there && s.State == campaign.StateComplete {
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			t.Fatalf("the campaign has not ended: %+v", s)
		}
	}
}

// rows is what a query about the campaign says.
func (o outcome) rows(t *testing.T, query string) [][]string {
	t.Helper()
	rows, err := o.db.QueryContext(t.Context(), query, sql.Named("uid", o.plan.ID))
	if err != nil {
		t.Fatalf("%v in\n%s", err, query)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for rows.Next() {
		cells := make([]sql.NullString, len(columns))
		into := make([]any, len(cells))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = c.String
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v in\n%s", err, query)
	}
	return out
}
