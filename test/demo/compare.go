package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/campaign/results/compare"
	"github.com/genode-operator/genode-operator/internal/sim/render"
	"github.com/genode-operator/genode-operator/internal/taskset/variant"
)

// compare runs the same variants on the guests and in the simulator, and shows their response times side by side.
func (s *show) compare(ctx context.Context) error {
	fmt.Println("\n$ kubectl apply -k config/samples/differential    (the same variants on the guests and in the simulator)")
	if _, err := s.lab.Kubectl(ctx, "apply", "-k", "config/samples/differential"); err != nil {
		return err
	}
	simulated, _, err := s.responses(ctx, "simulated")
	if err != nil {
		return err
	}
	measured, ts, err := s.responses(ctx, "measured")
	if err != nil {
		return err
	}
	space, err := variant.Build(&ts.Spec)
	if err != nil {
		return err
	}
	rows, err := compare.Rows(space.At, simulated, measured)
	if err != nil {
		return err
	}
	fmt.Println()
	if err := render.CompareTable(os.Stdout, rows); err != nil {
		return err
	}
	return s.page(rows)
}

// responses are the longest response times of a campaign, once it is complete.
func (s *show) responses(ctx context.Context, name string) (compare.Longest, *v1alpha1.TaskSet, error) {
	var ts v1alpha1.TaskSet
	if err := s.await(ctx, "the end of "+name, func() (bool, error) {
		err := s.lab.Get(ctx, types.NamespacedName{Namespace: "default", Name: name}, &ts)
		return meta.IsStatusConditionTrue(ts.Status.Conditions, v1alpha1.ConditionComplete), err
	}); err != nil {
		return nil, nil, err
	}
	if v := ts.Status.Variants; v == nil || v.Failed > 0 {
		return nil, nil, fmt.Errorf("campaign %s: not every variant succeeded", name)
	}
	records, err := s.lab.Records(ctx, string(ts.UID))
	if err != nil {
		return nil, nil, err
	}
	longest := compare.Longest{}
	for i := range records {
		longest.Add(&records[i])
	}
	return longest, &ts, nil
}

// page writes the table as a page with pictures, which stays.
func (s *show) page(rows []render.Compared) (err error) {
	path := filepath.Join(s.lab.Repo, ".cache", "demo", "compare.html")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fmt.Printf("The same with pictures: %s\n", path)
	return render.ComparePage(f, "Simulated and measured", rows)
}
