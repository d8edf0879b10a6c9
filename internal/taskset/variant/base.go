package variant

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

const defaultQuota = 1 << 20

// baseTasks resolves the tasks as they are without any sweep: those of spec.tasks, then those that blocks
// make. The latter are returned by themselves, too, with what varies in them.
func baseTasks(spec *v1alpha1.TaskSetSpec) ([]taskset.Task, []madeTask, error) {
	if len(spec.Tasks) == 0 && len(spec.Blocks) == 0 && spec.Generator == nil {
		return nil, nil, errors.New("spec.tasks: there are none; add a task, blocks or a generator")
	}
	base := make([]taskset.Task, len(spec.Tasks))
	names := map[string]int{}
	for i, t := range spec.Tasks {
		path := fmt.Sprintf("spec.tasks[%d]", i)
		if before, twice := names[t.Name]; twice {
			return nil, nil, fmt.Errorf("%s.name: %q is the name of spec.tasks[%d] too; give every task its own", path, t.Name, before)
		}
		names[t.Name] = i
		task, err := baseTask(path, t, defaultJobs(spec))
		if err != nil {
			return nil, nil, err
		}
		task.ID = i
		base[i] = task
	}
	made, err := blockTasks(spec)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range made {
		if before, twice := names[m.task.Name]; twice {
			return nil, nil, fmt.Errorf("spec.tasks[%d].name: %q is the name of a task that spec.blocks make, too; choose another one", before, m.task.Name)
		}
		base = append(base, m.task)
	}
	return base, made, nil
}

// defaultJobs is numberOfJobs of a task that says nothing about it: as many as complete a variant, or the
// largest number when a variant is completed by time.
func defaultJobs(spec *v1alpha1.TaskSetSpec) int32 {
	if spec.Completion.DurationMilliseconds != nil {
		return int32(numbers["numberOfJobs"].max)
	}
	return max(spec.Completion.JobsPerTask, 1)
}

func baseTask(path string, t v1alpha1.Task, jobs int32) (taskset.Task, error) {
	task := taskset.Task{Name: t.Name, Pkg: t.Pkg, Quota: defaultQuota}
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
