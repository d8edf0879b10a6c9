package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/target/qemu/qmp"
)

// fakeQEMU answers each command by the next of its answers; a command without any gets {}.
type fakeQEMU struct {
	answers map[string][]string
	heard   []string
}

// machine is a VM that talks to a fakeQEMU. heard may be read once done is closed.
func (f *fakeQEMU) machine(t *testing.T) (vm *VM, done <-chan struct{}) {
	t.Helper()
	socket := filepath.Join(shortDir(t), "qmp")
	listener, err := net.Listen("unix", socket)
	must(t, err)
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer listener.Close()
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		f.serve(conn)
	}()
	client, err := qmp.Dial(within(t), socket, qmp.Options{})
	must(t, err)
	t.Cleanup(func() { client.Close(); <-over })
	return &VM{qmp: client, snapshots: true}, over
}

func (f *fakeQEMU) serve(conn net.Conn) {
	fmt.Fprintln(conn, `{"QMP": {}}`)
	for in := bufio.NewScanner(conn); in.Scan(); {
		var command struct {
			Execute   string
			Arguments struct {
				ID    string `json:"id"`
				JobID string `json:"job-id"`
			}
			ID uint64 `json:"id"`
		}
		if json.Unmarshal(in.Bytes(), &command) != nil {
			return
		}
		f.heard = append(f.heard, strings.TrimSpace(command.Execute+" "+command.Arguments.ID+command.Arguments.JobID))
		answer := "{}"
		if list := f.answers[command.Execute]; len(list) > 0 {
			answer, f.answers[command.Execute] = list[0], list[1:]
		}
		fmt.Fprintf(conn, `{"return": %s, "id": %d}`+"\n", answer, command.ID)
	}
}

const (
	noJobs    = `[]`
	noDrives  = `[]`
	running   = `{"status": "running"}`
	jobStatus = `[{"id": "other", "status": "running"}, {"id": "snapshot-job-1", "status": %q, "error": %q}]`
)

func TestTheCourseOfALoad(t *testing.T) {
	begin := []string{"qmp_capabilities", "query-jobs", "query-block", "snapshot-load snapshot-job-1"}
	tests := map[string]struct {
		answers   map[string][]string
		wantErr   string
		wantHeard []string // after begin
	}{
		"a job that needs three looks": {
			answers: map[string][]string{
				"query-jobs":   {noJobs, fmt.Sprintf(jobStatus, "created", ""), fmt.Sprintf(jobStatus, "running", ""), fmt.Sprintf(jobStatus, "concluded", "")},
				"query-status": {running},
			},
			wantHeard: []string{"query-jobs", "query-jobs", "query-jobs", "job-dismiss snapshot-job-1", "query-status"},
		},
		"a machine that is paused after the load": {
			answers: map[string][]string{
				"query-jobs":   {noJobs, fmt.Sprintf(jobStatus, "concluded", "")},
				"query-status": {`{"status": "paused"}`},
			},
			wantHeard: []string{"query-jobs", "job-dismiss snapshot-job-1", "query-status", "cont"},
		},
		"a job that fails is dismissed, and its text is the error": {
			answers:   map[string][]string{"query-jobs": {noJobs, fmt.Sprintf(jobStatus, "concluded", "no space left")}},
			wantErr:   "load the snapshot: snapshot-load: no space left",
			wantHeard: []string{"query-jobs", "job-dismiss snapshot-job-1"},
		},
		"a job that vanishes": {
			answers:   map[string][]string{"query-jobs": {noJobs, noJobs}},
			wantErr:   "has forgotten job snapshot-job-1",
			wantHeard: []string{"query-jobs"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.answers["query-block"] = []string{noDrives}
			fake := &fakeQEMU{answers: tc.answers}
			vm, over := fake.machine(t)
			err := vm.LoadSnapshot(within(t))
			if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("error %v, want %q", err, tc.wantErr)
			}
			vm.qmp.Close()
			<-over
			if diff := cmp.Diff(append(begin, tc.wantHeard...), fake.heard); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAJobThatWasGivenUpIsSweptLater(t *testing.T) {
	endless := make([]string, 10_000)
	for i := range endless {
		endless[i] = fmt.Sprintf(jobStatus, "running", "")
	}
	fake := &fakeQEMU{answers: map[string][]string{"query-jobs": append([]string{noJobs}, endless...), "query-block": {noDrives}}}
	vm, _ := fake.machine(t)
	ctx, cancel := context.WithTimeoutCause(within(t), 10*jobPause, errGivenUp)
	defer cancel()
	if err := vm.LoadSnapshot(ctx); !errors.Is(err, errGivenUp) {
		t.Fatalf("error %v", err)
	}
	if err := vm.LoadSnapshot(within(t)); err == nil || !strings.Contains(err.Error(), "an earlier job is still running") {
		t.Errorf("error %v while the job goes on", err)
	}

	fake = &fakeQEMU{answers: map[string][]string{
		"query-jobs":  {fmt.Sprintf(jobStatus, "concluded", "late"), `[{"id": "snapshot-job-2", "status": "concluded"}]`},
		"query-block": {noDrives}, "query-status": {running},
	}}
	vm, over := fake.machine(t)
	vm.jobs = 1
	if err := vm.LoadSnapshot(within(t)); err != nil {
		t.Errorf("error %v when the job has ended", err)
	}
	vm.qmp.Close()
	<-over
	want := []string{"qmp_capabilities", "query-jobs", "job-dismiss snapshot-job-1", "query-block", "snapshot-load snapshot-job-2",
		"query-jobs", "job-dismiss snapshot-job-2", "query-status"}
	if diff := cmp.Diff(want, fake.heard); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

var errGivenUp = errors.New("given up")
