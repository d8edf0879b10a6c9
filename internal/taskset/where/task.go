package where

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

const taskTypeName = "Task"

var taskType = cel.ObjectType(taskTypeName)

// attributes of a task by the names that the API gives them. All are always set: their defaults are known.
var attributes = map[string]*types.FieldType{
	"name":                      text(func(t *taskset.Task) string { return t.Name }),
	"pkg":                       text(func(t *taskset.Task) string { return t.Pkg }),
	"id":                        number(func(t *taskset.Task) int64 { return int64(t.ID) }),
	"quota":                     number(func(t *taskset.Task) int64 { return int64(t.Quota) }),
	"priority":                  number(func(t *taskset.Task) int64 { return int64(t.Priority) }),
	"periodMilliseconds":        number(func(t *taskset.Task) int64 { return int64(t.Period) }),
	"criticalTimeMilliseconds":  number(func(t *taskset.Task) int64 { return int64(t.CriticalTime) }),
	"executionTimeMilliseconds": number(func(t *taskset.Task) int64 { return int64(t.ExecutionTime) }),
	"deadlineMilliseconds":      number(func(t *taskset.Task) int64 { return int64(t.Deadline) }),
	"offsetMilliseconds":        number(func(t *taskset.Task) int64 { return int64(t.Offset) }),
	"numberOfJobs":              number(func(t *taskset.Task) int64 { return int64(t.NumberOfJobs) }),
	"caps":                      number(func(t *taskset.Task) int64 { return int64(t.Caps) }),
	"cores":                     number(func(t *taskset.Task) int64 { return int64(t.Cores) }),
	"coreOffset":                number(func(t *taskset.Task) int64 { return int64(t.CoreOffset) }),
	"config": attribute(cel.MapType(cel.StringType, cel.DynType), func(t *taskset.Task) any {
		return tree(t.Config)
	}),
}

func text(get func(*taskset.Task) string) *types.FieldType {
	return attribute(cel.StringType, func(t *taskset.Task) any { return types.String(get(t)) })
}

func number(get func(*taskset.Task) int64) *types.FieldType {
	return attribute(cel.IntType, func(t *taskset.Task) any { return types.Int(get(t)) })
}

func attribute(of *types.Type, get func(*taskset.Task) any) *types.FieldType {
	return &types.FieldType{
		Type:  of,
		IsSet: func(any) bool { return true },
		GetFrom: func(object any) (any, error) {
			t, is := object.(*taskset.Task)
			if !is {
				return nil, fmt.Errorf("%T is no task", object)
			}
			return get(t), nil
		},
	}
}

// tree is a config as CEL sees it.
func tree(config taskset.Config) map[string]any {
	out := make(map[string]any, len(config))
	for _, node := range config {
		value := leaf(node.Text)
		if node.Children != nil {
			value = tree(node.Children)
		}
		switch before := out[node.Name].(type) {
		case nil:
			out[node.Name] = value
		case []any:
			out[node.Name] = append(before, value)
		default:
			out[node.Name] = []any{before, value}
		}
	}
	return out
}

// leaf is an int or a double when the text is one, as XML has no types.
func leaf(text string) any {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return f
	}
	return text
}

// taskValue is a task as a value of CEL. Tasks are looked at, never compared or converted.
type taskValue struct{ *taskset.Task }

// ConvertToNative implements ref.Val.
func (v taskValue) ConvertToNative(to reflect.Type) (any, error) {
	return nil, fmt.Errorf("a task cannot be converted to %s", to)
}

// ConvertToType implements ref.Val.
func (v taskValue) ConvertToType(to ref.Type) ref.Val {
	if to == types.TypeType {
		return taskType
	}
	return types.NewErr("a task cannot be converted to %s", to.TypeName())
}

// Equal implements ref.Val: a task equals itself.
func (v taskValue) Equal(other ref.Val) ref.Val {
	w, is := other.(taskValue)
	return types.Bool(is && v.Task == w.Task)
}

// Type implements ref.Val.
func (v taskValue) Type() ref.Type { return taskType }

// Value implements ref.Val.
func (v taskValue) Value() any { return v.Task }
