package export

import (
	"fmt"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

const jobTypeName = "Job"

var jobType = cel.ObjectType(jobTypeName)

// jobFields are named as in Job. Stamps are null when the target did not report them.
var jobFields = map[string]*types.FieldType{
	"task":                 jobField(cel.StringType, func(j *results.Job) any { return types.String(j.Task) }),
	"number":               jobField(cel.IntType, func(j *results.Job) any { return types.Int(j.Number) }),
	"outcome":              jobField(cel.StringType, func(j *results.Job) any { return types.String(j.Outcome) }),
	"startMilliseconds":    jobField(cel.NullableType(cel.IntType), func(j *results.Job) any { return nullable(j.Start) }),
	"endMilliseconds":      jobField(cel.NullableType(cel.IntType), func(j *results.Job) any { return nullable(j.End) }),
	"releasedMilliseconds": jobField(cel.NullableType(cel.IntType), func(j *results.Job) any { return nullable(j.Released) }),
	"responseMilliseconds": jobField(cel.NullableType(cel.IntType), responseOf),
}

func jobField(of *types.Type, get func(*results.Job) any) *types.FieldType {
	return &types.FieldType{
		Type: of,
		IsSet: func(object any) bool {
			j, err := jobOf(object)
			return err == nil && get(j) != types.NullValue
		},
		GetFrom: func(object any) (any, error) {
			j, err := jobOf(object)
			if err != nil {
				return nil, err
			}
			return get(j), nil
		},
	}
}

func jobOf(object any) (*results.Job, error) {
	j, is := object.(*results.Job)
	if !is {
		return nil, fmt.Errorf("%T is no job", object)
	}
	return j, nil
}

func nullable(ms *int64) any {
	if ms == nil {
		return types.NullValue
	}
	return types.Int(*ms)
}

func responseOf(j *results.Job) any {
	if ms, known := j.Response(); known {
		return types.Int(ms)
	}
	return types.NullValue
}

func jobsOf(jobs []results.Job) []ref.Val {
	out := make([]ref.Val, len(jobs))
	for i := range jobs {
		out[i] = jobValue{&jobs[i]}
	}
	return out
}

// provider knows the type of jobs besides those of CEL.
type provider struct{ types.Provider }

// FindStructType implements types.Provider.
func (p provider) FindStructType(name string) (*types.Type, bool) {
	if name == jobTypeName {
		return types.NewTypeTypeWithParam(jobType), true
	}
	return p.Provider.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	if name != jobTypeName {
		return p.Provider.FindStructFieldNames(name)
	}
	var names []string
	for field := range jobFields {
		names = append(names, field)
	}
	return names, true
}

// FindStructFieldType implements types.Provider.
func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if name != jobTypeName {
		return p.Provider.FindStructFieldType(name, field)
	}
	f, known := jobFields[field]
	return f, known
}

// jobValue is a job as a value of CEL. Jobs are looked at, never compared or converted.
type jobValue struct{ *results.Job }

// ConvertToNative implements ref.Val.
func (v jobValue) ConvertToNative(to reflect.Type) (any, error) {
	return nil, fmt.Errorf("a job cannot be converted to %s", to)
}

// ConvertToType implements ref.Val.
func (v jobValue) ConvertToType(to ref.Type) ref.Val {
	if to == types.TypeType {
		return jobType
	}
	return types.NewErr("a job cannot be converted to %s", to.TypeName())
}

// Equal implements ref.Val: a job equals itself.
func (v jobValue) Equal(other ref.Val) ref.Val {
	w, is := other.(jobValue)
	return types.Bool(is && v.Job == w.Job)
}

// Type implements ref.Val.
func (v jobValue) Type() ref.Type { return jobType }

// Value implements ref.Val.
func (v jobValue) Value() any { return v.Job }
