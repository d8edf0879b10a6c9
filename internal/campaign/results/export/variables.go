package export

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/interpreter"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// variable is something that an expression can ask of a record.
type variable struct {
	kind *cel.Type
	get  func(*results.Record) any
}

// variables are named as in Record.
var variables = map[string]variable{
	"campaign":      textual(func(r *results.Record) string { return r.Campaign }),
	"variant":       {cel.IntType, func(r *results.Record) any { return types.Int(r.Variant) }},
	"attempt":       {cel.IntType, func(r *results.Record) any { return types.Int(r.Attempt) }},
	"final":         {cel.BoolType, func(r *results.Record) any { return types.Bool(r.Final) }},
	"succeeded":     {cel.BoolType, func(r *results.Record) any { return types.Bool(r.Succeeded) }},
	"reason":        textual(func(r *results.Record) string { return r.Reason }),
	"message":       textual(func(r *results.Record) string { return r.Message }),
	"target":        textual(func(r *results.Record) string { return r.Target }),
	"address":       textual(func(r *results.Record) string { return r.Address }),
	"generation":    textual(func(r *results.Record) string { return r.Generation }),
	"hostClass":     textual(func(r *results.Record) string { return r.HostClass }),
	"imageDigest":   textual(func(r *results.Record) string { return r.ImageDigest }),
	"afterRecovery": textual(func(r *results.Record) string { return r.AfterRecovery }),
	"incarnation":   {cel.IntType, func(r *results.Record) any { return types.Int(r.Incarnation) }},
	"values":        {cel.MapType(cel.StringType, cel.DynType), func(r *results.Record) any { return mapOf(r.Values) }},
	"analysis":      {cel.MapType(cel.StringType, cel.DynType), func(r *results.Record) any { return mapOf(r.Analysis) }},
	"started":       {cel.TimestampType, func(r *results.Record) any { return types.Timestamp{Time: r.Started} }},
	"ended":         {cel.TimestampType, func(r *results.Record) any { return types.Timestamp{Time: r.Ended} }},
	"seconds":       {cel.DoubleType, func(r *results.Record) any { return types.Double(r.Ended.Sub(r.Started).Seconds()) }},
	"bytesIn":       {cel.IntType, func(r *results.Record) any { return types.Int(r.BytesIn) }},
	"bytesOut":      {cel.IntType, func(r *results.Record) any { return types.Int(r.BytesOut) }},
	"jobs":          {cel.ListType(jobType), func(r *results.Record) any { return jobsOf(r.Jobs) }},
}

func textual(get func(*results.Record) string) variable {
	return variable{cel.StringType, func(r *results.Record) any { return types.String(get(r)) }}
}

// mapOf are values as CEL sees them.
func mapOf(values string) map[string]any {
	out := map[string]any{}
	pairs, _ := pairsOf(values) // what is no object has no members
	for _, p := range pairs {
		out[p.name] = typed(p.value)
	}
	return out
}

// activation is what the variables are for one record.
type activation struct{ record *results.Record }

// ResolveName implements interpreter.Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	v, known := variables[name]
	if !known {
		return nil, false
	}
	return v.get(a.record), true
}

// Parent implements interpreter.Activation.
func (a *activation) Parent() interpreter.Activation { return nil }
