package supervisor

import (
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/session/framing"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// knock opens a connection to the guest's taskloader, as a stranger to everything that was before.
func (r *real) knock() net.Conn {
	r.Helper()
	conn, err := r.network.DialGuest(r.Context(), 3001)
	if err != nil {
		r.Fatal(err)
	}
	return conn
}

func (r *real) say(conn net.Conn, p []byte) {
	r.Helper()
	if _, err := conn.Write(p); err != nil {
		r.Fatal(err)
	}
}

// hear collects the frames that the guest sends until it has said nothing for a while.
func (r *real) hear(conn net.Conn) (frames string) {
	r.Helper()
	in := framing.Splitter{Max: 1 << 20}
	for piece := make([]byte, 4096); ; {
		_ = conn.SetReadDeadline(time.Now().Add(700 * time.Millisecond))
		n, err := conn.Read(piece)
		in.Add(piece[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			r.Fatal(err)
		}
	}
	for {
		item, more, err := in.Next(framing.Expect{})
		if err != nil {
			r.Fatal(err)
		}
		if !more {
			return frames
		}
		frames += string(item.Body)
	}
}

// hello is a task-set of one task, whose binary is called hello.
func hello() []byte {
	description := taskset.Description([]taskset.Task{{Name: "hello", Pkg: "hello", Quota: 1 << 20, Priority: 10, NumberOfJobs: 1}})
	return framing.AppendDescription(nil, description)
}

var stamp = regexp.MustCompile(`(time-stamp|[a-z]+-time)="[0-9]+"`)

// impression is what the guest shows of its state to a client: its log, its live data, and what becomes of a task
// whose binary it may or may not have.
func (r *real) impression() string {
	r.Helper()
	conn := r.knock()
	defer func() { _ = conn.Close() }()
	r.say(conn, framing.AppendWords(nil, framing.GetProfile, framing.GetLive))
	before := r.hear(conn)
	r.say(conn, framing.AppendWords(hello(), framing.SendBinaries, 0, framing.Start))
	return stamp.ReplaceAllString(before+"\n---\n"+r.hear(conn), "$1")
}

// soil leaves tasks, a log and a binary behind.
func (r *real) soil() {
	r.Helper()
	conn := r.knock()
	defer func() { _ = conn.Close() }()
	r.say(conn, framing.AppendWords(hello(), framing.SendBinaries, 1))
	word := make([]byte, 4)
	if _, err := io.ReadFull(conn, word); err != nil {
		r.Fatal(err)
	}
	content := []byte("\x7fELF that cannot be run")
	out, err := framing.AppendBinaryHeader(nil, "hello", len(content))
	if err != nil {
		r.Fatal(err)
	}
	r.say(conn, framing.AppendWords(append(out, content...), framing.Start))
	r.hear(conn)
}

// Whoever asks for a fresh guest before each variant gets one by a restore: for a client it is the same as one that
// was booted, and there much sooner.
func TestARestoredGuestIsAsFreshAsABootedOne(t *testing.T) {
	r := boot(t, rungs[:]...)
	booted := r.impression()
	r.soil()
	if soiled := r.impression(); soiled == booted {
		t.Fatalf("what variants leave behind is not seen:\n%s", soiled)
	}
	for _, action := range []agentapi.Action{agentapi.ActionRestore, agentapi.ActionRestore, agentapi.ActionReset, agentapi.ActionRestore} {
		before, began := r.State(), time.Now()
		if err := r.Do(t.Context(), action); err != nil {
			t.Fatal(err)
		}
		after := r.until("ready after "+string(action), 2*time.Minute, func(s agentapi.State) bool {
			return s.Ready && s.Incarnation > before.Incarnation && s.Snapshot.State == agentapi.SnapshotUsable
		})
		t.Logf("%s: ready after %s", action, time.Since(began).Round(time.Millisecond))
		if cold := action == agentapi.ActionReset; cold == (after.Boots == before.Boots) {
			t.Errorf("%s: boots %d after %d", action, after.Boots, before.Boots)
		}
		if diff := cmp.Diff(booted, r.impression()); diff != "" {
			t.Errorf("after %s (-booted +now):\n%s", action, diff)
		}
		r.soil()
	}
}
