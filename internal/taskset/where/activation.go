package where

import (
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

// activation is what the variables are for one variant.
type activation struct {
	number uint64
	tasks  []taskset.Task
	names  map[string]int
}

// ResolveName implements interpreter.Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case varTasks:
		return taskMap{a}, true
	case varVariant:
		return types.Int(a.number), true
	case varUtilization:
		return types.Double(utilization(a.tasks)), true
	}
	return nil, false
}

// Parent implements interpreter.Activation.
func (a *activation) Parent() interpreter.Activation { return nil }

// utilization is the sum of all tasks that are released again and again.
func utilization(tasks []taskset.Task) float64 {
	sum := 0.0
	for i := range tasks {
		if t := &tasks[i]; t.Period > 0 {
			sum += float64(t.ExecutionTime) / float64(t.Period)
		}
	}
	return sum
}

// taskMap is the map from names to tasks without being built for each variant.
type taskMap struct{ a *activation }

var _ traits.Mapper = taskMap{}

// Find implements traits.Mapper.
func (m taskMap) Find(key ref.Val) (ref.Val, bool) {
	name, isText := key.(types.String)
	if !isText {
		return types.NewErr("tasks have names, and %v is none", key), false
	}
	i, known := m.a.names[string(name)]
	if !known || i >= len(m.a.tasks) {
		return nil, false
	}
	return taskValue{&m.a.tasks[i]}, true
}

// Get implements traits.Indexer.
func (m taskMap) Get(key ref.Val) ref.Val {
	if v, found := m.Find(key); v != nil || found {
		return v
	}
	return types.NewErr("no such key: %v", key)
}

// Contains implements traits.Container.
func (m taskMap) Contains(key ref.Val) ref.Val {
	v, found := m.Find(key)
	if types.IsError(v) {
		return v
	}
	return types.Bool(found)
}

// Iterator implements traits.Iterable: over the names, in the order of the tasks.
func (m taskMap) Iterator() traits.Iterator {
	names := make([]string, len(m.a.tasks))
	for i := range m.a.tasks {
		names[i] = m.a.tasks[i].Name
	}
	return types.NewStringList(types.DefaultTypeAdapter, names).Iterator()
}

// Size implements traits.Sizer.
func (m taskMap) Size() ref.Val { return types.Int(len(m.a.tasks)) }

// Type implements ref.Val.
func (m taskMap) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (m taskMap) Value() any { return m.a.tasks }

// Equal implements ref.Val: there is one such map in an expression.
func (m taskMap) Equal(other ref.Val) ref.Val {
	o, is := other.(taskMap)
	return types.Bool(is && m.a == o.a)
}

// ConvertToNative implements ref.Val.
func (m taskMap) ConvertToNative(to reflect.Type) (any, error) {
	return taskValue{}.ConvertToNative(to)
}

// ConvertToType implements ref.Val.
func (m taskMap) ConvertToType(to ref.Type) ref.Val {
	if to == types.TypeType {
		return types.MapType
	}
	return taskValue{}.ConvertToType(to)
}
