package where

import (
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"
)

const (
	varTasks       = "tasks"
	varVariant     = "variant"
	varUtilization = "utilization"
)

// environment is the same for all campaigns: task names are checked apart, because a map has any key.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	return cel.NewEnv(
		cel.CustomTypeProvider(provider{registry}),
		cel.CustomTypeAdapter(registry),
		cel.Variable(varTasks, cel.MapType(cel.StringType, taskType)),
		cel.Variable(varVariant, cel.IntType),
		cel.Variable(varUtilization, cel.DoubleType),
		cel.CrossTypeNumericComparisons(true), // 1 < 1.5 is plain to everybody
		cel.ParserRecursionLimit(100),
		cel.ParserExpressionSizeLimit(1024),
		ext.Math(),
	)
})

// provider knows the type of tasks besides those of CEL.
type provider struct{ types.Provider }

// FindStructType implements types.Provider.
func (p provider) FindStructType(name string) (*types.Type, bool) {
	if name == taskTypeName {
		return types.NewTypeTypeWithParam(taskType), true
	}
	return p.Provider.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	if name != taskTypeName {
		return p.Provider.FindStructFieldNames(name)
	}
	var names []string
	for field := range attributes {
		names = append(names, field)
	}
	return names, true
}

// FindStructFieldType implements types.Provider.
func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if name != taskTypeName {
		return p.Provider.FindStructFieldType(name, field)
	}
	a, known := attributes[field]
	return a, known
}
