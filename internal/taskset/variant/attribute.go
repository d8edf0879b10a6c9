package variant

import (
	"github.com/genode-operator/genode-operator/internal/taskset"
)

// number is an attribute of a task that holds a whole number.
type number struct {
	min, max int64
	set      func(*taskset.Task, uint32)
}

// numbers are the numeric attributes by the names that the API gives them. The bounds are the API's;
// a target's generation may be narrower.
var numbers = map[string]number{
	"priority":                  {0, 65535, func(t *taskset.Task, v uint32) { t.Priority = v }},
	"periodMilliseconds":        {0, taskset.MaxTime, func(t *taskset.Task, v uint32) { t.Period = v }},
	"criticalTimeMilliseconds":  {0, taskset.MaxTime, func(t *taskset.Task, v uint32) { t.CriticalTime = v }},
	"executionTimeMilliseconds": {0, 1<<31 - 1, func(t *taskset.Task, v uint32) { t.ExecutionTime = v }},
	"deadlineMilliseconds":      {0, taskset.MaxTime, func(t *taskset.Task, v uint32) { t.Deadline = v }},
	"offsetMilliseconds":        {0, taskset.MaxTime, func(t *taskset.Task, v uint32) { t.Offset = v }},
	"numberOfJobs":              {1, 1_000_000, func(t *taskset.Task, v uint32) { t.NumberOfJobs = v }},
	"caps":                      {0, 1_000_000, func(t *taskset.Task, v uint32) { t.Caps = v }},
	"cores":                     {0, 1024, func(t *taskset.Task, v uint32) { t.Cores = v }},
	"coreOffset":                {0, 1024, func(t *taskset.Task, v uint32) { t.CoreOffset = v }},
}

const (
	attributePkg    = "pkg"
	attributeQuota  = "quota"
	attributeConfig = "config" // as a whole: blocks only
	configPrefix    = "config."
)
