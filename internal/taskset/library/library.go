package library

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

//go:embed tasksets blocks
var files embed.FS

// Library is a set of task-sets and blocks. It does not change, and may be used from any number of goroutines.
type Library struct {
	files fs.FS
	// modules are the files with blocks by their name; each is read once.
	modules func() map[string]module
}

// New makes a library of files that lie as the documentation of the package says. Nothing is read yet.
func New(files fs.FS) *Library {
	return &Library{files: files, modules: sync.OnceValue(func() map[string]module { return readModules(files) })}
}

// shipped is the library of this program.
var shipped = New(files)

// Entry describes a task-set or a block for people.
type Entry struct {
	Name        string // for example example.Hey0 or pi.Value
	Description string // one line
	Argument    string // of a block: what its argument means; empty when it has none
	Err         error  // why it cannot be used; nil if it can
}

// TaskSet is the task-set of that name. The names that taskgen had for it are known, too: example.Hey0TaskSet
// is example.Hey0. It belongs to the caller, and has no targets yet. The error of an unknown name lists
// similar ones.
func TaskSet(name string) (*v1alpha1.TaskSet, error) { return shipped.TaskSet(name) }

// TaskSets lists the task-sets by name, those that cannot be used included.
func TaskSets() []Entry { return shipped.TaskSets() }

// Blocks lists the blocks by name, those that cannot be used included.
func Blocks() []Entry { return shipped.Blocks() }

// Alternatives are the blocks that a use of the block stands for, at least one, with the argument put in.
// They may use further blocks of the library. They belong to the caller. Errors begin with the field of
// the block, use or argument, that is wrong.
func Alternatives(name string, argument *int64) ([]v1alpha1.Block, error) {
	return shipped.Alternatives(name, argument)
}

// DescriptionAnnotation is the key of the annotation that describes a task-set in a line.
const DescriptionAnnotation = "genode-operator.io/description"

// oldSuffix ended the names of many of taskgen's classes.
const oldSuffix = "TaskSet"

// TaskSet is like the function of that name.
func (l *Library) TaskSet(name string) (*v1alpha1.TaskSet, error) {
	group, rest, _ := strings.Cut(strings.TrimSuffix(name, oldSuffix), ".")
	file := path.Join("tasksets", group, rest+".yaml")
	if !fs.ValidPath(file) || strings.Count(file, "/") != 2 {
		return nil, unknown("task-set", name, names(l.TaskSets()))
	}
	text, err := fs.ReadFile(l.files, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unknown("task-set", name, names(l.TaskSets()))
	}
	if err != nil {
		return nil, fmt.Errorf("read task-set %s of the library: %w", name, err)
	}
	var ts v1alpha1.TaskSet
	if err := yaml.UnmarshalStrict(text, &ts); err != nil {
		return nil, fmt.Errorf("read task-set %s of the library: %w", name, err)
	}
	return &ts, nil
}

// TaskSets is like the function of that name.
func (l *Library) TaskSets() []Entry {
	found, err := fs.Glob(l.files, "tasksets/*/*.yaml")
	if err != nil { // the pattern is fixed: cannot happen
		return nil
	}
	var all []Entry
	for _, file := range found {
		e := Entry{Name: path.Base(path.Dir(file)) + "." + strings.TrimSuffix(path.Base(file), ".yaml")}
		ts, err := l.TaskSet(e.Name)
		if err != nil {
			e.Err = err
		} else {
			e.Description = ts.Annotations[DescriptionAnnotation]
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func names(entries []Entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Name)
	}
	return all
}
