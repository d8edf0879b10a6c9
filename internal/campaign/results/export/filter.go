package export

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// Bounds of an expression: its length, and what it may cost for one record, in CEL's units of about one operation.
const (
	maxExpression = 4096
	maxCost       = 1_000_000
)

// Filter lets those records through for which an expression in CEL, the Common Expression Language of Kubernetes,
// is true. It sees the fields of a Record as variables, and seconds, the time that the attempt took:
//
//	variant >= 100 && values["load.config.arg1"] > 5000 && jobs.exists(j, j.outcome != "EXIT")
//
// Values that read as numbers are numbers. A Filter may be used from any number of goroutines; nil lets every
// record through.
type Filter struct {
	program cel.Program
	text    string
}

// environment is the same for all expressions.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	options := []cel.EnvOption{
		cel.CustomTypeProvider(provider{registry}),
		cel.CustomTypeAdapter(registry),
		cel.CrossTypeNumericComparisons(true), // 1 < 1.5 is plain to everybody
		cel.ParserRecursionLimit(100),
		cel.ParserExpressionSizeLimit(maxExpression),
		ext.Math(), ext.Strings(),
	}
	for name, v := range variables {
		options = append(options, cel.Variable(name, v.kind))
	}
	return cel.NewEnv(options...)
})

// Compile checks an expression; "" makes no Filter. Errors say at which column something is wrong.
func Compile(expression string) (*Filter, error) {
	if strings.TrimSpace(expression) == "" {
		return nil, nil
	}
	if len(expression) > maxExpression {
		return nil, fmt.Errorf("the expression has %d characters; use at most %d", len(expression), maxExpression)
	}
	env, err := environment()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(expression)
	if err := issues.Err(); err != nil {
		return nil, firstOf(issues)
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("%q is of type %s; compare something, so that it is true or false", expression, ast.OutputType())
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, err
	}
	return &Filter{program: program, text: expression}, nil
}

// firstOf says what is wrong first, and where: the others often follow from it.
func firstOf(issues *cel.Issues) error {
	e := issues.Errors()[0]
	message, _, _ := strings.Cut(e.Message, " in container ''") // of CEL's own name spaces, which nobody needs here
	switch line, column := e.Location.Line(), e.Location.Column()+1; {
	case line > 1:
		return fmt.Errorf("line %d, column %d: %s", line, column, message)
	case column > 0:
		return fmt.Errorf("column %d: %s", column, message)
	}
	return errors.New(message)
}

// Admits reports whether the expression is true for a record. It fails when that cannot be said: the expression
// asks for a value that the record does not have, or costs too much.
func (f *Filter) Admits(r *results.Record) (bool, error) {
	if f == nil {
		return true, nil
	}
	out, _, err := f.program.Eval(&activation{record: r})
	if err == nil {
		admitted, isBool := out.Value().(bool)
		return isBool && admitted, nil
	}
	remedy := ""
	switch text := err.Error(); {
	case strings.Contains(text, "no such key"):
		remedy = `; ask "name" in values first`
	case strings.Contains(text, "actual cost limit exceeded"):
		remedy = fmt.Sprintf("; the limit is %d: nest fewer loops over all jobs", maxCost)
	}
	return false, fmt.Errorf("%q on attempt %d at variant %d: %w%s", f.text, r.Attempt, r.Variant, err, remedy)
}
