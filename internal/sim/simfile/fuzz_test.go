package simfile_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// readers of bytes that anybody may have written.
var readers = map[string]func([]byte) (*simfile.File, error){
	"Parse": simfile.Parse, "ParseXML": simfile.ParseXML, "ParseCase": simfile.ParseCase, "ParseSimSo": simfile.ParseSimSo,
	"Read": simfile.Read,
}

// FuzzReaders: whatever is read is a valid system that can be written and read again, or an error that says so.
func FuzzReaders(f *testing.F) {
	for _, seed := range []string{
		wholeSystem, wholeCase, saved, "", "[]", "null", "tasks:\n- {wcet: 1}", `[{"wcet":"1.5us"}]`,
		`{"id":"b","scheduler":"EDF","cpus":2,"duration_ms":3,"abort_on_miss":false,"tasks":[[1,0.377,5,4.863,18,113]]}`,
		"kind: TaskSet\nspec: {tasks: [{name: a, pkg: b}]}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for name, read := range readers {
			file, err := read(text)
			if err != nil {
				if !errors.Is(err, sim.ErrInvalid) {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if err := file.System.Check(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			again(t, name, file)
		}
	})
}

func again(t *testing.T, name string, file *simfile.File) {
	t.Helper()
	text, err := simfile.Marshal(file)
	if err != nil {
		return // names that are there twice
	}
	got, err := simfile.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	if diff := cmp.Diff(file, got, cmp.AllowUnexported(sim.Histogram{}), cmpopts.IgnoreFields(simfile.File{}, "CPUs", "Cycles"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: -read +read again:\n%s", name, diff)
	}
}
