// Package where says which variants of a campaign are run: those for which every one of its expressions in
// CEL, the Common Expression Language of Kubernetes, is true. It is pure.
//
// An expression sees three variables:
//
//	tasks        a map from a task's name to its attributes, as the API names them
//	variant      the number of the variant, an int
//	utilization  the sum of executionTimeMilliseconds/periodMilliseconds, a double
//
// Attributes have types, so that a wrong name is found when the campaign is checked. Only a task's config is
// a free tree: a leaf that reads as a number is an int or a double, every other one a string; elements of
// the same name are a list.
//
// Evaluation is bounded by its cost and not by time, so that a variant is in or out on any machine alike.
package where

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

// MaxCost is what one expression may cost for one variant, in CEL's units: about one for each operation and
// each attribute. It takes some milliseconds.
const MaxCost = 100_000

// Constraint is a list of expressions, ready to be evaluated from any number of goroutines.
type Constraint struct {
	names       map[string]int // position of each task
	expressions []expression
}

type expression struct {
	path    string
	program cel.Program
}

// Compile checks the expressions, which may name tasks by these names; the task of names[i] is the one at
// position i. Errors name the expression by its path in the spec, and the column.
func Compile(path string, expressions, names []string) (*Constraint, error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c := &Constraint{names: make(map[string]int, len(names))}
	for i, name := range names {
		c.names[name] = i
	}
	for i, text := range expressions {
		e := expression{path: fmt.Sprintf("%s[%d]", path, i)}
		if e.program, err = c.compile(env, text); err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
		c.expressions = append(c.expressions, e)
	}
	return c, nil
}

func (c *Constraint) compile(env *cel.Env, text string) (cel.Program, error) {
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, firstOf(issues)
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("%q is of type %s; compare something, so that it is true or false", text, ast.OutputType())
	}
	if err := c.checkNames(ast); err != nil {
		return nil, err
	}
	return env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(MaxCost))
}

// firstOf says what is wrong first: the others often follow from it.
func firstOf(issues *cel.Issues) error {
	e := issues.Errors()[0]
	message, _, _ := strings.Cut(e.Message, " in container ''") // of CEL's own name spaces, which nobody needs here
	return at(e.Location, message)
}

// at puts the place in front of a message; lines and columns count from 1.
func at(place common.Location, message string) error {
	switch line, column := place.Line(), place.Column()+1; {
	case line > 1:
		return fmt.Errorf("line %d, column %d: %s", line, column, message)
	case column > 0:
		return fmt.Errorf("column %d: %s", column, message)
	}
	return errors.New(message)
}

// Admits reports whether every expression is true for the tasks of variant n. It fails when one cannot be
// evaluated: it asks for an element of a config that is not there, divides by 0 or costs too much.
func (c *Constraint) Admits(n uint64, tasks []taskset.Task) (bool, error) {
	a := &activation{number: n, tasks: tasks, names: c.names}
	for _, e := range c.expressions {
		out, _, err := e.program.Eval(a)
		if err != nil {
			return false, fmt.Errorf("%s: variant %d: %w%s", e.path, n, err, remedy(err))
		}
		if admitted, isBool := out.Value().(bool); !isBool || !admitted {
			return false, nil
		}
	}
	return true, nil
}

func remedy(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "no such key"):
		return "; ask has(...) first, or use 'name' in map"
	case strings.Contains(text, "actual cost limit exceeded"):
		return fmt.Sprintf("; the limit is %d: nest fewer loops over all tasks", MaxCost)
	}
	return ""
}
