package variant

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

const defaultQuota = 1 << 20

// baseTasks resolves the tasks as they are without any sweep.
func baseTasks(spec *v1alpha1.TaskSetSpec) ([]taskset.Task, error) {
	if len(spec.Tasks) == 0 {
		return nil, errors.New("spec.tasks: there are none; add a task")
	}
	base := make([]taskset.Task, len(spec.Tasks))
	names := map[string]int{}
	for i, t := range spec.Tasks {
		path := fmt.Sprintf("spec.tasks[%d]", i)
		if before, twice := names[t.Name]; twice {
			return nil, fmt.Errorf("%s.name: %q is the name of spec.tasks[%d] too; give every task its own", path, t.Name, before)
		}
		names[t.Name] = i
		task, err := baseTask(path, t, max(spec.Completion.JobsPerTask, 1))
		if err != nil {
			return nil, err
		}
		task.ID = i
		base[i] = task
	}
	return base, nil
}

func baseTask(path string, t v1alpha1.Task, jobsPerTask int32) (taskset.Task, error) {
	task := taskset.Task{Name: t.Name, Pkg: t.Pkg, Quota: defaultQuota}
	jobs := jobsPerTask
	if t.NumberOfJobs != nil {
		jobs = *t.NumberOfJobs
	}
	for _, f := range []struct {
		name  string
		value int32
	}{
		{"priority", t.Priority}, {"periodMilliseconds", t.PeriodMilliseconds},
		{"criticalTimeMilliseconds", t.CriticalTimeMilliseconds},
		{"executionTimeMilliseconds", t.ExecutionTimeMilliseconds},
		{"deadlineMilliseconds", t.DeadlineMilliseconds}, {"offsetMilliseconds", t.OffsetMilliseconds},
		{"numberOfJobs", jobs}, {"caps", t.Caps}, {"cores", t.Cores}, {"coreOffset", t.CoreOffset},
	} {
		number := numbers[f.name]
		if err := number.check(path+"."+f.name, int64(f.value)); err != nil {
			return task, err
		}
		number.set(&task, uint32(f.value))
	}
	if t.Quota != nil {
		quota, err := quotaBytes(path+".quota", *t.Quota)
		if err != nil {
			return task, err
		}
		task.Quota = quota
	}
	if t.Config != nil {
		config, err := taskset.ConfigFromJSON(t.Config.Raw)
		if err != nil {
			return task, fmt.Errorf("%s.%w", path, err)
		}
		task.Config = config
	}
	return task, nil
}

func (n number) check(path string, value int64) error {
	if value < n.min || value > n.max {
		return fmt.Errorf("%s: %d is out of range; use %d to %d", path, value, n.min, n.max)
	}
	return nil
}

func quotaBytes(path string, q resource.Quantity) (uint64, error) {
	bytes, exact := q.AsInt64()
	if !exact || bytes < 1 || bytes > taskset.MaxQuota {
		return 0, fmt.Errorf("%s: %s is out of range; use whole bytes, more than 0 and less than 4Gi, for example 5Mi", path, q.String())
	}
	return uint64(bytes), nil
}
