package variant

import (
	"fmt"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// compileSet reads the attributes that a block gives a value.
func compileSet(path string, a *v1alpha1.TaskAttributes) ([]setting, error) {
	if a == nil {
		return nil, nil
	}
	all, err := numberSettings(path, a)
	if err != nil {
		return nil, err
	}
	if pkg := a.Pkg; pkg != "" {
		if !pkgName.MatchString(pkg) {
			return nil, fmt.Errorf("%s.pkg: %q is not the name of a binary; use 1 to 15 characters out of letters, digits, '_', '.' and '-'", path, pkg)
		}
		all = append(all, setting{attributePkg, func(t *taskset.Task) { t.Pkg = pkg }})
	}
	if a.Quota != nil {
		quota, err := quotaBytes(path+".quota", *a.Quota)
		if err != nil {
			return nil, err
		}
		all = append(all, setting{attributeQuota, func(t *taskset.Task) { t.Quota = quota }})
	}
	if a.Config != nil {
		config, err := taskset.ConfigFromJSON(a.Config.Raw)
		if err != nil {
			return nil, fmt.Errorf("%s.%w", path, err)
		}
		all = append(all, setting{attributeConfig, func(t *taskset.Task) { t.Config = config }})
	}
	return all, nil
}

func numberSettings(path string, a *v1alpha1.TaskAttributes) ([]setting, error) {
	var all []setting
	for _, f := range []struct {
		name  string
		value *int32
	}{
		{"priority", a.Priority}, {"periodMilliseconds", a.PeriodMilliseconds},
		{"criticalTimeMilliseconds", a.CriticalTimeMilliseconds},
		{"executionTimeMilliseconds", a.ExecutionTimeMilliseconds},
		{"deadlineMilliseconds", a.DeadlineMilliseconds}, {"offsetMilliseconds", a.OffsetMilliseconds},
		{"numberOfJobs", a.NumberOfJobs}, {"caps", a.Caps}, {"cores", a.Cores}, {"coreOffset", a.CoreOffset},
	} {
		if f.value == nil {
			continue
		}
		n, value := numbers[f.name], uint32(*f.value)
		if err := n.check(path+"."+f.name, int64(*f.value)); err != nil {
			return nil, err
		}
		all = append(all, setting{f.name, func(t *taskset.Task) { n.set(t, value) }})
	}
	return all, nil
}
