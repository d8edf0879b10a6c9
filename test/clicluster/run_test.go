package clicluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign/results/export"
	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// essence is what two runs of a campaign have in common: for each variant what was swept, its tasks, their jobs
// and how it all ended. Targets and times are not among it.
func essence(records []export.Record) (all []string) {
	for _, r := range records {
		text := fmt.Sprintf("%06d attempt %d final %t %s %s %s %s", r.Variant, r.Attempt, r.Final, r.Reason, r.Generation, r.HostClass, r.Values)
		for _, j := range r.Jobs {
			text += fmt.Sprintf(" %s/%d:%s", j.Task, j.Number, j.Outcome)
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// TestTheSameRecordsWithAndWithoutACluster runs campaigns on eight targets, first by genodectl alone and then by
// a manager, and compares what the results say.
func TestTheSameRecordsWithAndWithoutACluster(t *testing.T) {
	l := newLab(t, 8, faketarget.Options{Job: faketarget.Takes(10), Quiet: true})
	seed := int64(42)
	for _, c := range []struct {
		name, set string
		variants  int
		change    func(*v1alpha1.TaskSetSpec)
	}{
		{"hey6", "example.Hey6TaskSet", 127, nil},
		{"hey9", "example.Hey9TaskSet", 5, func(s *v1alpha1.TaskSetSpec) { s.Seed, s.Repeat = &seed, 5 }}, // of random priorities
	} {
		l.write(c.name+".yaml", c.name, c.set, c.change)
		l.do("genodectl", "run", "-f", c.name+".yaml", "--class", "Genode", "-p", fmt.Sprint(l.port), l.at(0)+"-"+l.at(7)).want(t, 0)
	}
	l.open()
	for _, name := range []string{"hey6", "hey9"} {
		l.do("genodectl", "run", "-f", name+".yaml", "--cluster").want(t, 0, "created TaskSet "+l.Namespace+"/"+name, "variants")
	}
	for name, variants := range map[string]int{"hey6": 127, "hey9": 5} {
		alone := essence(l.records(l.do("genodectl", "results", name, "-o", "jsonl", "--manager=")))
		cluster := essence(l.records(l.do("genodectl", "results", name, "-n", l.Namespace, "-o", "jsonl")))
		if len(alone) != variants || !slices.Equal(alone, cluster) {
			t.Errorf("%s: without a cluster\n%s\nwith one\n%s", name, strings.Join(alone, "\n"), strings.Join(cluster, "\n"))
		}
		a, b := l.campaign(l.own(), name), l.campaign(l.results(), l.Namespace+"/"+name)
		if a.SpecHash != b.SpecHash || a.SpecHash == "" || a.Total != b.Total || name == "hey9" && a.Seed != b.Seed {
			t.Errorf("%s: hash %q and %q, %d and %d variants, seeds %d and %d", name, a.SpecHash, b.SpecHash, a.Total, b.Total, a.Seed, b.Seed)
		}
	}
}
