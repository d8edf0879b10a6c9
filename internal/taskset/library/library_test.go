package library_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset/library"
)

func ptr[T any](v T) *T { return &v }

func TestEveryFileIsListedWithADescription(t *testing.T) {
	listed := map[string]bool{}
	for _, e := range slices.Concat(library.TaskSets(), library.Blocks()) {
		if e.Err != nil || e.Description == "" {
			t.Errorf("%s: description %q, error %v", e.Name, e.Description, e.Err)
		}
		if listed[e.Name] {
			t.Errorf("%s is listed twice", e.Name)
		}
		listed[e.Name] = true
	}
	for _, pattern := range []string{"tasksets/*/*.yaml", "blocks/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".yaml")
			group := filepath.Base(filepath.Dir(file))
			found := listed[group+"."+name]
			for e := range listed {
				found = found || group == "blocks" && strings.HasPrefix(e, name+".")
			}
			if !found {
				t.Errorf("%s is not listed", file)
			}
		}
	}
}

func TestTaskSetsAreFoundByOldNamesToo(t *testing.T) {
	for _, name := range []string{"example.Hey0", "example.Hey0TaskSet"} {
		ts, err := library.TaskSet(name)
		if err != nil {
			t.Fatal(err)
		}
		if ts.Name != "example-hey0" || len(ts.Spec.Tasks) != 1 || ts.Spec.Tasks[0].Pkg != "hey" {
			t.Errorf("%s is %+v", name, ts)
		}
	}
	if _, err := library.TaskSet("nextgen.benchmark.BenchmarkTaskSet"); err != nil {
		t.Error(err)
	}
	for _, e := range library.TaskSets() {
		if ts, err := library.TaskSet(e.Name); err != nil || ts.Kind != "TaskSet" || ts.Spec.Targets.Selector != nil ||
			ts.Name != strings.ToLower(strings.ReplaceAll(e.Name, ".", "-")) {
			t.Errorf("%s is called %v: %v", e.Name, ts, err)
		}
	}
}

func TestAnUnknownNameListsSimilarOnes(t *testing.T) {
	for name, want := range map[string]string{
		"example.Hey10":      "did you mean example.Hey0, example.Hey1",
		"example.hey6":       "example.Hey6",
		"Hey3":               "example.Hey3",
		"nextgen.pi.Variant": "nextgen.pi.Variants1",
		"":                   "did you mean",
		"../blocks/pi":       "did you mean",
		"example.../x":       "did you mean",
		"blocks.pi":          "did you mean",
	} {
		if _, err := library.TaskSet(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that says %q", name, err, want)
		}
	}
	for name, want := range map[string]string{"pi.Values": "pi.Value", "p.Value": "pi.Value", "hey": "hey.HelloWorld", "": "did you mean"} {
		if _, err := library.Alternatives(name, nil); err == nil || !strings.HasPrefix(err.Error(), "use: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that says %q", name, err, want)
		}
	}
}

// TestWhatIsHandedOutIsNotShared guards against the default list that all of taskgen's task-sets shared.
func TestWhatIsHandedOutIsNotShared(t *testing.T) {
	first, err := library.TaskSet("example.Hey0")
	if err != nil {
		t.Fatal(err)
	}
	first.Spec.Tasks[0].Pkg = "changed"
	second, err := library.TaskSet("example.Hey0")
	if err != nil || second.Spec.Tasks[0].Pkg != "hey" {
		t.Errorf("the second copy is %v, %v", second, err)
	}
	blocks, err := library.Alternatives("hey.HelloWorld", nil)
	if err != nil {
		t.Fatal(err)
	}
	blocks[0].Set.Pkg = "changed"
	if again, err := library.Alternatives("hey.HelloWorld", nil); err != nil || again[0].Set.Pkg != "hey" {
		t.Errorf("the second block is %v, %v", again, err)
	}
}

func TestTheArgumentIsPutIn(t *testing.T) {
	blocks, err := library.Alternatives("pi.Variants", ptr(int64(1_000_000)))
	if err != nil {
		t.Fatal(err)
	}
	want := []v1alpha1.AttributeSweep{{Attribute: "config.arg1", Range: &v1alpha1.IntegerRange{From: ptr(int64(0)), To: ptr(int64(999_999))}}}
	if diff := cmp.Diff(want, blocks[0].Sweeps); diff != "" {
		t.Errorf("sweeps (-want +got):\n%s", diff)
	}
	blocks, err = library.Alternatives("binaries.Random", ptr(int64(7)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range blocks {
		if b.Argument != nil && *b.Argument != 7 {
			t.Errorf("%s has the argument %d", b.Use, *b.Argument)
		}
		got = append(got, b.Use)
	}
	if want := "hey.HelloWorld cond_mod.Random cond_42.Random idle.Idle pi.Random linpack.Random tumatmul.Random"; strings.Join(got, " ") != want {
		t.Errorf("binaries.Random is %v", got)
	}
}

// TestABrokenFileHarmsNoOther breaks them one at a time.
func TestABrokenFileHarmsNoOther(t *testing.T) {
	whole := library.New(os.DirFS("."))
	sets, blocks := len(whole.TaskSets()), len(whole.Blocks())
	for name, tc := range map[string]struct {
		file, content string
		set, block    string // what is listed with an error
		use           string // what the error of its use says
	}{
		"a task-set that is no YAML":            {"tasksets/example/Hey0.yaml", "{", "example.Hey0", "", ""},
		"a task-set with a field that is none":  {"tasksets/example/Hey0.yaml", "spec: {colour: red}", "example.Hey0", "", ""},
		"a module that is no YAML":              {"blocks/hey.yaml", "{", "", "hey", "read blocks/hey.yaml"},
		"a module with a field that is none":    {"blocks/hey.yaml", "HelloWorld: {colour: red}", "", "hey", "colour"},
		"a block with a field that is none":     {"blocks/hey.yaml", "HelloWorld: {alternatives: [{colour: red}]}", "", "hey.HelloWorld", "colour"},
		"a block without alternatives":          {"blocks/hey.yaml", "HelloWorld: {description: x}", "", "hey.HelloWorld", "read its alternatives"},
		"a block with an empty list":            {"blocks/hey.yaml", "HelloWorld: {alternatives: []}", "", "hey.HelloWorld", "no alternatives"},
		"a block with a place for another type": {"blocks/hey.yaml", "HelloWorld: {alternatives: [{set: {pkg: $argument}}]}", "", "hey.HelloWorld", "pkg"},
	} {
		t.Run(name, func(t *testing.T) {
			l := library.New(with(t, tc.file, tc.content))
			var broken []string
			gotSets, gotBlocks := l.TaskSets(), l.Blocks()
			for _, e := range slices.Concat(gotSets, gotBlocks) {
				if e.Err != nil {
					broken = append(broken, e.Name)
				}
			}
			if diff := cmp.Diff([]string{tc.set + tc.block}, broken); diff != "" || len(gotSets) != sets || len(gotBlocks) != blocks {
				t.Errorf("%d of %d task-sets and %d of %d blocks are listed; broken (-want +got):\n%s", len(gotSets), sets, len(gotBlocks), blocks, diff)
			}
			if _, err := l.TaskSet("example.Hey1"); err != nil {
				t.Error(err)
			}
			if _, err := l.Alternatives("pi.Value", ptr(int64(1))); err != nil {
				t.Error(err)
			}
			if tc.set != "" {
				if _, err := l.TaskSet(tc.set); err == nil {
					t.Error("the broken one is handed out")
				}
			} else if _, err := l.Alternatives("hey.HelloWorld", nil); err == nil || !strings.Contains(err.Error(), tc.use) {
				t.Errorf("use of the broken one: %v, want %q", err, tc.use)
			}
		})
	}
}

// with is the library's files with another content of one.
func with(t *testing.T, file, content string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	for _, pattern := range []string{"tasksets/*/*.yaml", "blocks/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: text}
		}
	}
	if files[file] == nil {
		t.Fatalf("there is no %s to be broken", file)
	}
	files[file] = &fstest.MapFile{Data: []byte(content)}
	return files
}

func TestAnEmptyLibraryListsNothing(t *testing.T) {
	l := library.New(fstest.MapFS{})
	if n := len(l.TaskSets()) + len(l.Blocks()); n != 0 {
		t.Errorf("%d entries", n)
	}
	if _, err := l.TaskSet("example.Hey0"); err == nil || !strings.Contains(err.Error(), "has none") {
		t.Errorf("error %v", err)
	}
}
