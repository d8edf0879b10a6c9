// Package docs holds no code: its tests keep README.md and docs/ true. A real API server has to accept every
// manifest in them, every link has to lead somewhere, and every field, condition and package has its line.
package docs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

const root = "../.."

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// page is one Markdown file.
type page struct {
	path string // below the root of the repository
	text string
}

// pages are README.md and everything below docs/.
func pages(t *testing.T) []page {
	t.Helper()
	paths := []string{filepath.Join(root, "README.md")}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []page
	for _, path := range paths {
		below, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page{below, read(t, below)})
	}
	return all
}

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks are the fenced blocks of a page in a language.
func (p page) blocks(language string) []string {
	var blocks []string
	var block []string
	inside := false
	for line := range strings.SplitSeq(p.text, "\n") {
		switch {
		case !inside && strings.TrimSpace(line) == "```"+language:
			inside, block = true, nil
		case inside && strings.TrimSpace(line) == "```":
			blocks, inside = append(blocks, strings.Join(block, "\n")), false
		case inside:
			block = append(block, line)
		}
	}
	return blocks
}

// resources are the kinds that a page's manifests may have.
var resources = map[string]string{"TargetSession": "targetsessions", "TargetPool": "targetpools", "TaskSet": "tasksets"}

func TestTheAPIServerAcceptsEveryManifest(t *testing.T) {
	config := testenv.Start(t)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	namespace := testenv.Namespace(t, config)
	found := map[string]int{}
	for _, p := range pages(t) {
		for _, block := range p.blocks("yaml") {
			for _, object := range decode(t, p.path, block) {
				resource, ours := resources[object.GetKind()]
				if !ours {
					continue // of other programs, such as Prometheus or kustomize
				}
				found[object.GetKind()]++
				t.Run(p.path+"/"+object.GetKind()+"/"+object.GetName(), func(t *testing.T) {
					options := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
					in := client.Resource(v1alpha1.GroupVersion.WithResource(resource)).Namespace(namespace)
					if _, err := in.Create(t.Context(), &object, options); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	for kind := range resources {
		if found[kind] == 0 {
			t.Errorf("no page shows a %s", kind)
		}
	}
}

func decode(t *testing.T, path, block string) []unstructured.Unstructured {
	t.Helper()
	var objects []unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(block)), 4096); ; {
		var object unstructured.Unstructured
		err := decoder.Decode(&object.Object)
		switch {
		case errors.Is(err, io.EOF):
			return objects
		case err != nil:
			t.Fatalf("%s: %v in\n%s", path, err, block)
		case object.GetKind() == "" || object.GroupVersionKind() == (schema.GroupVersionKind{}):
			t.Fatalf("%s: a block marked as yaml is no whole manifest; mark parts of one with ```text:\n%s", path, block)
		}
		objects = append(objects, object)
	}
}
