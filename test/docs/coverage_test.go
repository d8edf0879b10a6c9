package docs

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/internal/target/qemu"
)

// TestEveryFieldHasItsRow walks the generated schema of each kind: its page has a table row that begins with
// the field's path, and the row names the field's default.
func TestEveryFieldHasItsRow(t *testing.T) {
	for file, resource := range map[string]string{
		"docs/targetsession.md": "targetsessions", "docs/targetpool.md": "targetpools", "docs/taskset.md": "tasksets",
	} {
		text := read(t, file)
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict([]byte(read(t, "config/crd/bases/genode-operator.io_"+resource+".yaml")), &crd); err != nil {
			t.Fatal(err)
		}
		top := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		for _, part := range []string{"spec", "status"} {
			fields := map[string]string{}
			leaves(part, top.Properties[part], fields)
			if len(fields) == 0 {
				t.Errorf("%s: the schema has no field below %s", resource, part)
			}
			for _, path := range slices.Sorted(maps.Keys(fields)) {
				row := rowOf(text, path)
				switch {
				case row == "":
					t.Errorf("%s: no table row begins with | `%s`", file, path)
				case fields[path] != "" && !strings.Contains(row, fields[path]):
					t.Errorf("%s: the row of %s does not name the default %s: %s", file, path, fields[path], row)
				}
			}
		}
	}
}

func rowOf(text, path string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "| `"+path+"` ") {
			return line
		}
	}
	return ""
}

// leaves collects paths of fields and their defaults. What is described elsewhere is one field: the parts of
// Kubernetes, the template of a pool, the sources of files, and in blocks and generators the attributes of
// a task, sweeps and draws.
func leaves(path string, s apiextensionsv1.JSONSchemaProps, into map[string]string) {
	if path == "spec.template.spec" || strings.HasSuffix(path, ".resources") || strings.HasSuffix(path, ".selector") ||
		strings.HasSuffix(path, ".tolerations") || strings.HasSuffix(path, ".imagePullSecrets") || strings.HasSuffix(path, ".conditions") {
		into[path] = ""
		return
	}
	if inside := strings.Contains(path, "[]."); inside && (strings.HasSuffix(path, ".set") || strings.HasSuffix(path, ".sweeps") || strings.HasSuffix(path, ".draws")) {
		into[path] = ""
		return
	}
	if _, has := s.Properties["persistentVolumeClaim"]; has {
		into[path] = ""
		return
	}
	if s.Items != nil && s.Items.Schema != nil && len(s.Items.Schema.Properties) > 0 {
		leaves(path+"[]", *s.Items.Schema, into)
		return
	}
	if len(s.Properties) == 0 {
		into[path] = ""
		if s.Default != nil {
			into[path] = words(s.Default.Raw)
		}
		return
	}
	for name, child := range s.Properties {
		leaves(path+"."+name, child, into)
	}
}

// words is a default as a reader would write it.
func words(raw []byte) string {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return string(raw)
	}
	if list, ok := value.([]any); ok {
		var parts []string
		for _, item := range list {
			parts = append(parts, fmt.Sprint(item))
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(value)
}

// TestEveryWordOfTheStatusIsExplained looks for the constants that users meet.
func TestEveryWordOfTheStatusIsExplained(t *testing.T) {
	cases := map[string]struct {
		source string   // of the constants
		prefix []string // of their names
		pages  []string // one of them has to explain each
	}{
		"condition types":   {"api/v1alpha1/conditions.go", []string{"Condition"}, []string{"docs/targetsession.md", "docs/targetpool.md", "docs/taskset.md"}},
		"condition reasons": {"api/v1alpha1/conditions.go", []string{"Reason"}, []string{"docs/targetsession.md", "docs/targetpool.md", "docs/taskset.md"}},
		"verdicts":          {"internal/target/agentapi/types.go", []string{"Verdict"}, []string{"docs/recovery.md"}},
		"attempts":          {"internal/campaign/reason.go", []string{"Reason"}, []string{"docs/results.md"}},
		"outcomes of jobs":  {"internal/session/session.go", []string{"Event"}, []string{"docs/results.md"}},
		"events of targets": {"controllers/targetsession/events.go", []string{"event"}, []string{"docs/targetsession.md"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			for _, page := range tc.pages {
				text.WriteString(read(t, page))
			}
			all := constants(t, tc.source, tc.prefix)
			if len(all) == 0 {
				t.Fatalf("%s has no such constants", tc.source)
			}
			for _, word := range all {
				if !strings.Contains(text.String(), "`"+word+"`") {
					t.Errorf("`%s` of %s is explained nowhere in %s", word, tc.source, tc.pages)
				}
			}
		})
	}
}

// constants are the values of a file's string constants with one of the prefixes.
func constants(t *testing.T, file string, prefixes []string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING || !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(spec.Names[0].Name, p) }) {
			return true
		}
		if value, err := strconv.Unquote(literal.Value); err == nil {
			values = append(values, value)
		}
		return true
	})
	return values
}

func TestThePresetsFlagsAreThoseOfTheCode(t *testing.T) {
	text := read(t, "docs/targetsession.md")
	for _, p := range qemu.Presets() {
		for _, want := range []string{"`" + p.Name + "`", p.Binary, "`" + strings.Join(p.Flags(), " ") + "`", p.NIC} {
			if !strings.Contains(text, want) {
				t.Errorf("docs/targetsession.md does not have %q of preset %s", want, p.Name)
			}
		}
		if !strings.Contains(read(t, "docs/images.md"), "\n## "+p.Name+"\n") {
			t.Errorf("docs/images.md has no section about preset %s", p.Name)
		}
	}
}

// TestTheMapNamesEveryPackage keeps README.md's map of the repository complete, and free of what is gone.
func TestTheMapNamesEveryPackage(t *testing.T) {
	text := read(t, "README.md")
	for _, top := range []string{"cmd", "controllers", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if d.Name() == "testdata" {
				return filepath.SkipDir
			}
			below, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			sources, err := filepath.Glob(filepath.Join(path, "*.go"))
			if err == nil && len(sources) > 0 && !strings.Contains(text, "`"+below+"`") {
				t.Errorf("the map in README.md has no line for `%s`", below)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, folder := range strings.Split(cells[1], ",") {
			folder = strings.Trim(strings.TrimSpace(folder), "`")
			if _, is := map[string]bool{"cmd": true, "controllers": true, "internal": true}[strings.SplitN(folder, "/", 2)[0]]; !is {
				continue
			}
			if found, err := filepath.Glob(filepath.Join(root, folder)); err != nil || len(found) == 0 {
				t.Errorf("the map in README.md names `%s`, which is not there", folder)
			}
		}
	}
}
