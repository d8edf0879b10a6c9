// Package sink tells others what happens to attempts, as it happens: files, standard output, MongoDB. Sinks are
// for watching along. What counts is in the results store, whatever happens to them.
package sink

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/genode-operator/genode-operator/internal/campaign/results"
)

// Sink takes notices. It is used by one goroutine at a time.
type Sink interface {
	// Notify is given notices in their order, at least one. An error concerns all of them; none is given again.
	Notify(ctx context.Context, notices ...results.Notice) error
	// Close ends the sink; what it has taken is written.
	Close() error
}

// Kind is a kind of sinks.
type Kind struct {
	Name string
	Old  string // what taskgen called it, if it had one
	Doc  string
	open func(ctx context.Context, where string, stdout io.Writer) (Sink, error)
}

// List is every kind of sinks.
func List() []Kind {
	return []Kind{
		{"text", "stdout.StdOutMonitor", "Prints the tasks and jobs of variants that have succeeded, as taskgen did.", openText},
		{"csv", "", "Writes a line for each job of an attempt that has ended.", openCSV},
		{"jsonl", "", "Writes a line of JSON for each notice: started, observed, finished, stopped.", openLines},
		{"mongo", "mongo.MongoMonitor", "Puts a document for each task into MongoDB, database tasksets, collection taskset.task.", openMongo},
	}
}

// Open opens the sink that a text names: KIND or KIND:WHERE, for example jsonl:/var/log/notices.jsonl or
// mongo:mongodb://user:password@host/tasksets. WHERE is a file for text, csv and jsonl, which is appended to, and
// standard output by default; for mongo it is the server's URL, or @ and a file that holds it. taskgen's names of kinds are known, too. Errors do
// not tell passwords. The context bounds the opening.
func Open(ctx context.Context, name string, stdout io.Writer) (Sink, error) {
	kind, where, _ := strings.Cut(name, ":")
	if kind == "mongodb" || kind == "mongodb+srv" {
		kind, where = "mongo", name
	}
	kinds := List()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return kind == k.Name || kind == k.Old && k.Old != "" })
	if i < 0 {
		var names []string
		for _, k := range kinds {
			names = append(names, k.Name)
		}
		return nil, fmt.Errorf("sink %q is unknown; use %s, and after a colon where to, for example jsonl:notices.jsonl", kind, strings.Join(names, ", "))
	}
	s, err := kinds[i].open(ctx, where, stdout)
	if err != nil {
		return nil, fmt.Errorf("open sink %s: %w", kinds[i].Name, err)
	}
	return s, nil
}
