package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
	"github.com/genode-operator/genode-operator/test/lab"
)

// show is the demonstration, act by act.
type show struct {
	lab   *lab.Lab
	begin time.Time
}

const (
	campaign = "priority-sweep"
	warm     = "reference-0" // may be restored from its snapshot
	cold     = "cold"        // may not
)

func (s *show) say(format string, args ...any) {
	fmt.Printf("%6.1f s  %s\n", time.Since(s.begin).Seconds(), fmt.Sprintf(format, args...))
}

// explain shows what may tell why an act failed.
func (s *show) explain() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, args := range [][]string{{"get", "tasksets,targetpools,targetsessions,pods", "-o", "wide"}, {"describe", "targetsessions"}, {"get", "events", "--sort-by=.metadata.creationTimestamp"}} {
		out, err := s.lab.Kubectl(ctx, args...)
		fmt.Fprintln(os.Stderr, out, err)
	}
	fmt.Fprintln(os.Stderr, "The end of the manager's log:\n"+s.lab.ManagerLogTail(40))
}

func (s *show) apply(ctx context.Context) error {
	s.say("kubectl apply -k config/samples     (a pool of 2 targets, a campaign of 8 variants)")
	if _, err := s.lab.Kubectl(ctx, "apply", "-k", "config/samples"); err != nil {
		return err
	}
	s.say("kubectl apply -f test/demo/cold.yaml (a third target, which may not be restored from a snapshot)")
	_, err := s.lab.Kubectl(ctx, "apply", "-f", "test/demo/cold.yaml")
	return err
}

// boot waits until every target is ready and busy.
func (s *show) boot(ctx context.Context) error {
	waiting := []string{"reference-0", "reference-1", cold}
	err := s.await(ctx, "the targets", func() (bool, error) {
		for _, name := range slices.Clone(waiting) {
			t, err := s.lab.Session(ctx, name)
			if err != nil || !meta.IsStatusConditionTrue(t.Status.Conditions, v1alpha1.ConditionReady) {
				continue // not made yet, or not ready
			}
			snapshot := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionSnapshotUsable)
			s.say("%s is ready (%s; snapshot: %s)", name, t.Status.Accelerator, snapshot.Reason)
			waiting = slices.DeleteFunc(waiting, func(n string) bool { return n == name })
		}
		return len(waiting) == 0, nil
	})
	if err != nil {
		return err
	}
	return s.await(ctx, "all targets to be busy", func() (bool, error) {
		t, err := s.taskset(ctx)
		return err == nil && t.Status.Variants != nil && t.Status.Variants.Running == 3, err
	})
}

func (s *show) freezeAndRestore(ctx context.Context) error {
	r, err := s.freeze(ctx, warm)
	if err != nil {
		return err
	}
	if r.Step != string(v1alpha1.StepRestore) {
		return fmt.Errorf("%s was recovered by %s, not by %s", warm, r.Step, v1alpha1.StepRestore)
	}
	return nil
}

func (s *show) freezeAndReset(ctx context.Context) error {
	r, err := s.freeze(ctx, cold)
	if err != nil {
		return err
	}
	if r.Step != string(v1alpha1.StepReset) {
		return fmt.Errorf("%s was recovered by %s, not by %s", cold, r.Step, v1alpha1.StepReset)
	}
	return nil
}

// freeze hangs a guest and waits until its agent has brought it back.
func (s *show) freeze(ctx context.Context, name string) (agentapi.Recovery, error) {
	agent, err := s.lab.Agent(ctx, name)
	if err != nil {
		return agentapi.Recovery{}, err
	}
	defer agent.Close()
	frozen, err := s.lab.Tell(ctx, name, "hang")
	if err != nil {
		return agentapi.Recovery{}, err
	}
	s.say("%s FROZEN: its kernel hangs, QEMU still runs", name)
	r, err := s.lab.Recovery(ctx, agent, frozen)
	if err != nil {
		return r, err
	}
	s.say("%s freeze noticed after %d ms (%s)", name, r.Time.Sub(frozen).Milliseconds(), r.Verdict)
	s.say("%s recovered by %s: answers again %s after the verdict", name, r.Step, (time.Duration(r.OutageMilliseconds) * time.Millisecond))
	return r, nil
}

// finish follows the campaign to its end.
func (s *show) finish(ctx context.Context) error {
	told, progress := map[string]bool{}, ""
	return s.await(ctx, "the end of the campaign", func() (bool, error) {
		t, err := s.taskset(ctx)
		if err != nil {
			return false, err
		}
		for _, f := range slices.Backward(t.Status.RecentFailures) {
			if key := fmt.Sprint(f.Variant, f.Attempt); !told[key] {
				told[key] = true
				s.say("variant %s lost its target %s (%s): it is run again", f.Variant, f.Target, f.Reason)
			}
		}
		if t.Status.Progress != progress {
			progress = t.Status.Progress
			s.say("campaign: %s variants finished", progress)
		}
		if !meta.IsStatusConditionTrue(t.Status.Conditions, v1alpha1.ConditionComplete) {
			return false, nil
		}
		v := t.Status.Variants
		s.say("campaign finished: %d variants succeeded, %d failed, %d attempts were repeated", v.Succeeded, v.Failed, v.Retried)
		if v.Succeeded != 8 || v.Failed != 0 {
			return true, errors.New("not every variant succeeded")
		}
		return true, nil
	})
}

// tables prints what a user would look at.
func (s *show) tables(ctx context.Context) error {
	out, err := s.lab.Kubectl(ctx, "get", "tasksets,targetsessions,targetpools")
	if err != nil {
		return err
	}
	fmt.Printf("\n$ kubectl get tasksets,targetsessions,targetpools\n%s\n", out)
	t, err := s.taskset(ctx)
	if err != nil {
		return err
	}
	fmt.Println("Jobs in the status of TaskSet priority-sweep, oldest first; times in ms of the target's clock:")
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "VARIANT\tATTEMPT\tTASK\tJOB\tSTART\tEND\tOUTCOME\tTARGET\tAFTER")
	for _, j := range slices.Backward(t.Status.RecentJobs) {
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", j.Variant, j.Attempt, j.Task, j.Job, stamp(j.Start), stamp(j.End), j.Outcome, j.Target, j.AfterRecovery)
	}
	return w.Flush()
}

func stamp(ms *int64) string {
	if ms == nil {
		return "-"
	}
	return fmt.Sprint(*ms)
}

func (s *show) taskset(ctx context.Context) (*v1alpha1.TaskSet, error) {
	var t v1alpha1.TaskSet
	return &t, s.lab.Get(ctx, types.NamespacedName{Namespace: "default", Name: campaign}, &t)
}

// await polls until ok holds or fails.
func (s *show) await(ctx context.Context, what string, ok func() (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := ok()
		if done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		}
	}
}
