package parity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/addresspool"
	"github.com/genode-operator/genode-operator/internal/addresspool/echo"
	"github.com/genode-operator/genode-operator/internal/campaign"
	"github.com/genode-operator/genode-operator/internal/campaign/local"
	"github.com/genode-operator/genode-operator/internal/campaign/results"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/ping"
	"github.com/genode-operator/genode-operator/internal/session/stdio"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

var generations = []string{taskset.G2017, taskset.G1608a, taskset.G1608b, taskset.G1802}

// suited is a spec of one task that the generation takes.
func suited(generation string) string {
	if generation == taskset.G1802 {
		return "tasks: [{name: hello, pkg: hey, periodMilliseconds: 50, caps: 100}]\n"
	}
	return one
}

func TestF16AvailabilityByICMP(t *testing.T) {
	target := fake(t, faketarget.Options{})
	pinger := echo.New(echo.Options{})
	defer pinger.Close()
	class := ping.New(taskloader.New(taskloader.Options{}), pinger)
	if err := class.Available(t.Context(), at(target)); errors.Is(err, echo.ErrNotPermitted) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	if target.Count(faketarget.Opened) != 0 {
		t.Error("it was connected to")
	}
	target.Refuse()
	if err := class.Available(t.Context(), at(target)); err != nil {
		t.Errorf("a host whose taskloader is not there yet: %v", err)
	}
}

// pools runs a campaign on whoever answers in the pools, and returns who did.
func pools(t *testing.T, spec string, port uint16, include ...string) map[string]int {
	t.Helper()
	l := newLab(t) // for its store
	l.stop()
	store, err := results.OpenSQLite(t.Context(), l.path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ranges, err := addresspool.Parse(include, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = local.Run(t.Context(), local.Options{
		Plan: l.plan(spec), Class: session.Classes{"Genode": taskloader.New(taskloader.Options{})}, ClassName: "Genode",
		Addresses: ranges, Port: port, Generation: taskset.G1608b, Store: store,
	})
	if err != nil {
		t.Fatal(err)
	}
	who := map[string]int{}
	if err := store.Each(t.Context(), "c", func(r results.Record) error { who[r.Target]++; return nil }); err != nil {
		t.Fatal(err)
	}
	return who
}

func TestF17AddressPools(t *testing.T) {
	first := fake(t, faketarget.Options{Address: "127.0.17.2:0", Job: faketarget.Takes(5)})
	port := netip.MustParseAddrPort(first.Address()).Port()
	also := func(address string) *faketarget.Target {
		return fake(t, faketarget.Options{Address: netip.AddrPortFrom(netip.MustParseAddr(address), port).String(), Job: faketarget.Takes(5)})
	}
	all := []*faketarget.Target{first, also("127.0.17.4"), also("127.0.17.5"), also("127.0.17.130")}
	outside := also("127.0.17.200")

	who := pools(t, strings.Replace(hey6, "to: 127", "to: 60", 1), port, "127.0.17.0/29")
	if diff := cmp.Diff([]string{"127.0.17.2", "127.0.17.4", "127.0.17.5"}, keys(who)); diff != "" {
		t.Errorf("one pool (-want +got):\n%s", diff)
	}
	who = pools(t, strings.Replace(hey6, "to: 127", "to: 60", 1), port, "127.0.17.0/29", "127.0.17.128-127.0.17.135", "127.0.17.4")
	if diff := cmp.Diff([]string{"127.0.17.130", "127.0.17.2", "127.0.17.4", "127.0.17.5"}, keys(who)); diff != "" {
		t.Errorf("several pools (-want +got):\n%s", diff)
	}
	ran := 0
	for _, target := range all {
		ran += target.Count("START")
	}
	if ran != 120 || outside.Count(faketarget.Opened) != 0 {
		t.Errorf("%d variants, %d connections to a stranger", ran, outside.Count(faketarget.Opened))
	}
}

func keys(m map[string]int) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// P1: OPTIMIZE went to generations that do not know it.
func TestF29AdmissionControl(t *testing.T) {
	const fair = "admissionControl: {goal: Fairness}\n"
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			target := fake(t, faketarget.Options{Generation: generation, Job: faketarget.Takes(1)})
			l := newLabWith(t, taskloader.Options{PollInterval: time.Millisecond}, target)
			spec := suited(generation) + "sweeps: [{task: hello, attribute: priority, values: [1, 2]}]\n"
			records := l.run(l.plan(spec + fair))
			if generation == taskset.G1608a || generation == taskset.G1802 {
				refusedUpFront(t, records, target)
			} else {
				succeeded(t, records)
			}
			documents, goals := 0, 0
			for _, r := range target.Log() {
				if r.What == "OPTIMIZE" && len(r.Text) == 178 && strings.Contains(r.Text, "<fairness>\n\t\t\t<apply>1</apply>") {
					documents++
				}
				if r.What == "SEND_DESCS" && strings.HasPrefix(r.Text, "<taskset>\n\t<goal>\n\t\t<fairness>\n\t\t\t<apply>1</apply>") {
					goals++
				}
			}
			want := map[string][2]int{taskset.G2017: {2, 0}, taskset.G1608b: {0, 2}}[generation]
			if got := [2]int{documents, goals}; got != want || target.Count(faketarget.Unknown) != 0 {
				t.Errorf("documents and goals %v, want %v; %d unknown words", got, want, target.Count(faketarget.Unknown))
			}
		})
	}
}

// refusedUpFront checks that nothing was sent and that a good task-set still runs.
func refusedUpFront(t *testing.T, records []results.Record, target *faketarget.Target) {
	t.Helper()
	for _, r := range records {
		if r.Succeeded || r.Reason != campaign.ReasonUnsupported || r.Attempt != 1 || !strings.Contains(r.Message, "no way to be told") {
			t.Errorf("variant %d, attempt %d: %s: %s", r.Variant, r.Attempt, r.Reason, r.Message)
		}
	}
	if target.Count("SEND_DESCS") != 0 {
		t.Error("it was sent all the same")
	}
	l := newLab(t, target)
	succeeded(t, l.run(l.plan(suited(target.Generation()))))
}

func TestF31DryRun(t *testing.T) {
	var out bytes.Buffer
	l := newLab(t)
	l.stop()
	store, err := results.OpenSQLite(t.Context(), l.path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := l.plan(four)
	if _, err := local.Run(t.Context(), local.Options{
		Plan: p, Class: session.Classes{"Stdio": stdio.New(&out)}, ClassName: "Stdio", Store: store,
		Fixed: []session.Target{{Name: "dry run", Class: "Stdio", Generation: taskset.G1608b}},
	}); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for n := range p.Total {
		tasks, err := p.Space.At(n)
		if err != nil {
			t.Fatal(err)
		}
		d := taskset.Description(tasks)
		fmt.Fprintf(&want, "# variant %d for dry run, generation 1608b\n# binary hey: 44372 bytes, sha256 %x\n# description: %d bytes\n%s\n", n, p.Binaries["hey"].SHA256, len(d), d)
	}
	if diff := cmp.Diff(want.String(), out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
	n := 0
	if err := store.Each(t.Context(), "c", func(r results.Record) error {
		if n++; !r.Succeeded || len(r.Jobs) != 0 {
			t.Errorf("variant %d: %s, %d jobs", r.Variant, r.Reason, len(r.Jobs))
		}
		return nil
	}); err != nil || n != 4 {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestF33LiveDataProfileAndReboot(t *testing.T) {
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			target := fake(t, faketarget.Options{Generation: generation, Job: faketarget.Takes(faketarget.Endless)})
			err := session.With(t.Context(), taskloader.New(taskloader.Options{}), at(target), func(s session.Session) error {
				run := oneTask(binary("hey", 100))
				if generation == taskset.G1802 {
					run.Tasks[0].Period, run.Tasks[0].Caps = 50_000, 100
				}
				if err := s.Start(t.Context(), run); err != nil {
					return err
				}
				if err := target.Await(t.Context(), "START", 1); err != nil {
					return err
				}
				inspect(t, s, generation)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			want := map[string]int{"GET_PROFILE": 1, "REBOOT": 1}
			if generation == taskset.G2017 {
				want = map[string]int{"GET_PROFILE": 0, "REBOOT": 0}
			}
			if got := map[string]int{"GET_PROFILE": target.Count("GET_PROFILE"), "REBOOT": target.Count("REBOOT")}; cmp.Diff(want, got) != "" {
				t.Errorf("words %v, want %v", got, want)
			}
			if target.Count("GET_LIVE") == 0 || target.Count(faketarget.Unknown) != 0 {
				t.Errorf("%d GET_LIVE, %d unknown words", target.Count("GET_LIVE"), target.Count(faketarget.Unknown))
			}
		})
	}
}

func inspect(t *testing.T, s session.Session, generation string) {
	t.Helper()
	i, ok := session.InspectorOf(s)
	if !ok {
		t.Fatal("the session answers no questions")
	}
	if threads, err := i.Live(t.Context()); err != nil || len(threads) != 1 || !strings.HasSuffix(threads[0].Session, "00.hey") {
		t.Errorf("threads %+v, %v", threads, err)
	}
	events, profileErr := i.Profile(t.Context())
	rebootErr := i.Reboot(t.Context())
	if generation == taskset.G2017 {
		if !errors.Is(profileErr, session.ErrUnsupported) || !errors.Is(rebootErr, session.ErrUnsupported) {
			t.Errorf("profile: %v, reboot: %v", profileErr, rebootErr)
		}
		return
	}
	if profileErr != nil || rebootErr != nil || len(events) != 1 || events[0].Type != session.EventStart {
		t.Errorf("profile %+v, %v; reboot: %v", events, profileErr, rebootErr)
	}
}

// D11: that no variant was left was handled by an error that does not exist.
func TestD11ATargetForWhichNothingIsLeftDoesNotFail(t *testing.T) {
	slow, idle := fake(t, faketarget.Options{Job: faketarget.Takes(200)}), fake(t, faketarget.Options{Job: faketarget.Takes(200)})
	l := newLab(t, slow, idle)
	succeeded(t, l.run(l.plan(one)))
	if n := len(l.records()); n != 1 || slow.Count("START")+idle.Count("START") != 1 {
		t.Errorf("%d records, %d and %d starts", n, slow.Count("START"), idle.Count("START"))
	}
}

// D13: a bad network became an unbound variable.
func TestD13ABadAddressIsNamedWithARemedy(t *testing.T) {
	for entry, remedy := range map[string]string{
		"172.25.1.1/24": "write 172.25.1.0/24", "172.25.1.0/33": "write for example", "172.25.1": "write for example", "board-7": "write for example",
	} {
		_, err := addresspool.Parse([]string{"127.0.0.1", entry}, nil)
		if err == nil || !strings.Contains(err.Error(), entry) || !strings.Contains(err.Error(), remedy) {
			t.Errorf("%s: %v", entry, err)
		}
	}
}

// G4: a length of which fewer than four bytes came was taken for a number.
func TestG04HalfALengthIsWaitedFor(t *testing.T) {
	for _, piece := range []int{1, 2, 3} {
		target := fake(t, faketarget.Options{Piece: piece, PiecePause: 50 * time.Microsecond, StampBase: 276_427 * time.Millisecond, Job: faketarget.Takes(10)})
		l := newLab(t, target)
		records := l.run(l.plan(one))
		succeeded(t, records)
		if j := records[0].Jobs; len(j) != 1 || *j[0].Start != 276_427 || *j[0].End != 276_437 || records[0].Attempt != 1 {
			t.Errorf("%d bytes at a time: attempt %d, jobs %+v", piece, records[0].Attempt, j)
		}
	}
}

// G5: an event of an unknown task killed the session's thread.
func TestG05UnknownTaskID(t *testing.T) {
	stranger := faketarget.Profile(faketarget.Event{Type: "START", ID: 4711, Stamp: 1}, faketarget.Event{Type: "EXIT", ID: 4711, Stamp: 2})
	target := fake(t, faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtRelease, Times: -1, Do: faketarget.Send(stranger)}}})
	l := newLab(t, target)
	records := l.run(l.plan(four))
	succeeded(t, records)
	for _, r := range records {
		if got := outcomes(r); r.Attempt != 1 || !slices.Equal(got, []string{"hello EXIT"}) {
			t.Errorf("variant %d, attempt %d: %v", r.Variant, r.Attempt, got)
		}
	}
}

// G10: binaries were looked for beside the main script, wherever that was.
func TestG10BinariesAreFoundFromAnywhere(t *testing.T) {
	folder := t.TempDir()
	content := binary("hey", 1000).Content
	if err := os.WriteFile(filepath.Join(folder, "hey"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	binaries, err := local.Binaries(folder, []string{"hey"})
	if err != nil {
		t.Fatal(err)
	}
	target := fake(t, faketarget.Options{})
	l := newLab(t, target)
	p := l.plan(one)
	p.Binaries = binaries
	succeeded(t, l.run(p))
	for _, r := range target.Log() {
		if r.What == "BINARY" && r.SHA256 != binaries["hey"].SHA256 {
			t.Errorf("another binary arrived: %d bytes", r.Size)
		}
	}
}

// G11: to load one class changed a time-out of all others.
func TestG11EveryClassHasItsOwnTimeOuts(t *testing.T) {
	impatient := taskloader.New(taskloader.Options{IOTimeout: 100 * time.Millisecond})
	patient := taskloader.New(taskloader.Options{IOTimeout: time.Minute})
	start := func(c session.Class, target *faketarget.Target) error {
		return session.With(t.Context(), c, at(target), func(s session.Session) error { return s.Start(t.Context(), oneTask(binary("hey", 100))) })
	}
	hang := faketarget.Options{Faults: []faketarget.Fault{{At: faketarget.AtGoSend, Do: faketarget.Hang()}}}
	a, b := fake(t, hang), fake(t, hang)
	result := make(chan error)
	go func() { result <- start(patient, b) }()
	if err := b.Await(t.Context(), faketarget.Hung, 1); err != nil {
		t.Fatal(err)
	}
	if err := start(impatient, a); !errors.Is(err, session.ErrTimeout) {
		t.Errorf("the impatient class: %v", err)
	}
	b.Thaw()
	if err := <-result; err != nil {
		t.Errorf("the patient class: %v", err)
	}
}

// A campaign has one connection for each target, and another one for each that broke.
func TestBrokenSessionsAreReplaced(t *testing.T) {
	var targets []*faketarget.Target
	for range 4 {
		targets = append(targets, fake(t, faketarget.Options{Quiet: true, Faults: []faketarget.Fault{
			{At: faketarget.AtRelease, After: 50, Do: faketarget.Reset()}, {At: faketarget.AtDescription, After: 100, Do: faketarget.Close()},
		}}))
	}
	l := newLab(t, targets...)
	p := l.plan(one + "repeat: 1000\n")
	succeeded(t, l.run(p))
	opened := 0
	for _, target := range targets {
		opened += target.Count(faketarget.Opened)
	}
	if opened > 12 {
		t.Errorf("%d connections to 4 targets that broke 2 each", opened)
	}
}

// A target that is in use stays usable for who uses it, and is left alone until it is free.
func TestF41ATargetInUseIsReportedByItsClass(t *testing.T) {
	target := fake(t, faketarget.Options{})
	class := taskloader.New(taskloader.Options{IOTimeout: 200 * time.Millisecond})
	somebody, err := class.Connect(t.Context(), at(target))
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Await(t.Context(), faketarget.Opened, 1); err != nil {
		t.Fatal(err)
	}
	scanner := addresspool.NewScanner(addresspool.ScannerOptions{})
	host := netip.MustParseAddrPort(target.Address())
	ranges, err := addresspool.Parse([]string{host.Addr().String()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := scanner.Set("pool", ranges, func(ctx context.Context, _ netip.Addr) error { return class.Available(ctx, at(target)) }); err != nil {
		t.Fatal(err)
	}
	err = session.With(t.Context(), class, at(target), func(s session.Session) error { return s.Start(t.Context(), oneTask(binary("hey", 100))) })
	if !errors.Is(err, session.ErrTimeout) || !strings.Contains(err.Error(), "serves another client") {
		t.Fatalf("error = %v", err)
	}
	scanner.Taken("pool", host.Addr())
	if h, _ := scanner.State("pool", host.Addr()); h.State != addresspool.InUse || time.Until(h.Next) < 20*time.Second {
		t.Errorf("host = %+v", h)
	}
	if target.Count("SEND_DESCS") != 0 || target.Count(faketarget.Truncate) != 0 {
		t.Error("the other client was disturbed")
	}
	if err := errors.Join(somebody.Start(t.Context(), oneTask(binary("hey", 100))), somebody.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("the other client: %v", err)
	}
}
