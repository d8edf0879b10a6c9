package where

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// checkNames refuses tasks.NAME and tasks["NAME"] when no task has that name. CEL itself lets a map have
// any key.
func (c *Constraint) checkNames(checked *cel.Ast) error {
	var wrong error
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		name, is := taskOf(e)
		if _, known := c.names[name]; known || !is || wrong != nil {
			return
		}
		wrong = at(checked.NativeRep().SourceInfo().GetStartLocation(e.ID()),
			fmt.Sprintf("no task is named %q; use one of %s", name, someOf(slices.Sorted(maps.Keys(c.names)))))
	}))
	return wrong
}

// taskOf is the name when e takes a task out of the tasks.
func taskOf(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().FieldName(), isTasks(e.AsSelect().Operand())
	case ast.CallKind:
		args := e.AsCall().Args()
		if e.AsCall().FunctionName() != operators.Index || !isTasks(args[0]) || args[1].Kind() != ast.LiteralKind {
			return "", false
		}
		name, isText := args[1].AsLiteral().(types.String)
		return string(name), isText
	}
	return "", false
}

func isTasks(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == varTasks }

// someOf lists as many names as one can read.
func someOf(names []string) string {
	if len(names) > 10 {
		return strings.Join(names[:10], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}
