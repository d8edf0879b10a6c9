// Package validation holds no code: its tests hand wrong resources to a real API server and look whether
// the answer says what to do about them.
package validation

import (
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/genode-operator/genode-operator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// base holds one good resource of each kind.
var base = map[string]string{
	"TargetSession": `{spec: {qemu: {preset: pc, boot: {iso: {path: /genode.iso}}}}}`,
	"TargetPool":    `{spec: {replicas: 2, template: {spec: {qemu: {preset: virt-arm64, boot: {kernel: {path: /image.elf}}}}}}}`,
	"TaskSet":       `{spec: {tasks: [{name: hello, pkg: hey}], targets: {selector: {matchLabels: {pool: arm}}}}}`,
}

// build merges a change into the good resource of its kind; null takes a field away.
func build(t *testing.T, kind, name, namespace, change string) *unstructured.Unstructured {
	t.Helper()
	read := func(text string) map[string]any {
		var doc map[string]any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return doc
	}
	doc := read(base[kind])
	merge(doc, map[string]any{"spec": read(change)})
	u := &unstructured.Unstructured{Object: doc}
	u.SetAPIVersion("genode-operator.io/v1alpha1")
	u.SetKind(kind)
	u.SetName(name)
	u.SetNamespace(namespace)
	return u
}

func merge(into, change map[string]any) {
	for key, value := range change {
		below, isMap := value.(map[string]any)
		old, wasMap := into[key].(map[string]any)
		switch {
		case value == nil:
			delete(into, key)
		case isMap && wasMap:
			merge(old, below)
		default:
			into[key] = value
		}
	}
}

func newClient(t *testing.T) (client.Client, string) {
	t.Helper()
	config := testenv.Start(t)
	c, err := client.New(config, client.Options{Scheme: runtime.NewScheme()})
	if err != nil {
		t.Fatal(err)
	}
	return c, testenv.Namespace(t, config)
}

const sha = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func TestWrongResourcesAreRefusedWithAdvice(t *testing.T) {
	cases := map[string]struct {
		kind, name, change string
		want               string // part of the answer; empty: accepted
	}{
		"a plain target":                         {kind: "TargetSession"},
		"a target without a machine":             {kind: "TargetSession", change: `{qemu: null}`, want: "class Qemu needs spec.qemu"},
		"a target with a long name":              {kind: "TargetSession", name: strings.Repeat("x", 53), want: "the name may have at most 52 characters"},
		"a class that does not exist":            {kind: "TargetSession", change: `{class: Bochs}`, want: `supported values: "Qemu"`},
		"a preset that does not exist":           {kind: "TargetSession", change: `{qemu: {preset: amiga}}`, want: `"virt-riscv64"`},
		"two things to boot":                     {kind: "TargetSession", change: `{qemu: {boot: {disk: {path: /x}}}}`, want: "give exactly one of kernel, iso and disk"},
		"nothing to boot":                        {kind: "TargetSession", change: `{qemu: {boot: {iso: null}}}`, want: "give exactly one of kernel, iso and disk"},
		"an initrd without a kernel":             {kind: "TargetSession", change: `{qemu: {boot: {initrd: {path: /x}}}}`, want: "initrd and append need kernel"},
		"a file of two origins":                  {kind: "TargetSession", change: `{qemu: {boot: {iso: {image: a, configMap: b}}}}`, want: "give at most one of image, persistentVolumeClaim, configMap and url"},
		"a file without a path":                  {kind: "TargetSession", change: `{qemu: {boot: {iso: {path: null, configMap: b}}}}`, want: "path is missing"},
		"a path that climbs":                     {kind: "TargetSession", change: `{qemu: {boot: {iso: {path: ../etc/shadow}}}}`, want: "path must not contain '..'"},
		"a download without a checksum":          {kind: "TargetSession", change: `{qemu: {boot: {iso: {path: null, url: "https://x.org/i"}}}}`, want: "url and sha256 belong together"},
		"a download with its checksum":           {kind: "TargetSession", change: `{qemu: {boot: {iso: {path: null, url: "https://x.org/i", sha256: ` + sha + `}}}}`},
		"a checksum that is none":                {kind: "TargetSession", change: `{qemu: {boot: {iso: {path: null, url: "https://x.org/i", sha256: abc}}}}`, want: "sha256"},
		"binaries by download":                   {kind: "TargetSession", change: `{qemu: {binaries: {url: "https://x.org/i", sha256: ` + sha + `}}}`, want: "binaries is a folder; name single downloads in the TaskSet's spec.binaries"},
		"a machine that hides a file":            {kind: "TargetSession", change: `{qemu: {overrides: {machine: "q35,dumpdtb=/x"}}}`, want: "machine"},
		"a subnet that is none":                  {kind: "TargetSession", change: `{qemu: {network: {subnet: 10.0.0.300/24}}}`, want: "subnet must be an IPv4 network"},
		"a subnet without room":                  {kind: "TargetSession", change: `{qemu: {network: {subnet: 10.0.0.0/31}}}`, want: "subnet must be an IPv4 network with a prefix of 8 to 29 bits"},
		"a gateway elsewhere":                    {kind: "TargetSession", change: `{qemu: {network: {gateway: 10.0.9.1}}}`, want: "gateway must lie in subnet"},
		"a guest elsewhere":                      {kind: "TargetSession", change: `{qemu: {network: {subnet: 10.1.0.0/16, guestAddress: 10.0.2.15}}}`, want: "guestAddress must lie in subnet"},
		"a network of one's own":                 {kind: "TargetSession", change: `{qemu: {network: {subnet: 10.1.0.0/16, gateway: 10.1.0.1, guestAddress: 10.1.4.4, macAddress: "02:00:00:00:00:01", ports: [80]}}}`},
		"a multicast card":                       {kind: "TargetSession", change: `{qemu: {network: {macAddress: "01:00:00:00:00:01"}}}`, want: "macAddress"},
		"the agent's port":                       {kind: "TargetSession", change: `{qemu: {network: {ports: [7443]}}}`, want: "7080 and 7443 to 7447 are the agent's own ports"},
		"the port of a serial line":              {kind: "TargetSession", change: `{qemu: {network: {ports: [7447]}}}`, want: "7080 and 7443 to 7447 are the agent's own ports"},
		"a taskloader at the agent's port":       {kind: "TargetSession", change: `{taskloader: {port: 7080}}`, want: "7080 and 7443 to 7447 are the agent's own ports"},
		"a time-out of one echo":                 {kind: "TargetSession", change: `{health: {echoIntervalMilliseconds: 500, echoTimeoutMilliseconds: 600}}`, want: "echoTimeoutMilliseconds must be at least twice echoIntervalMilliseconds"},
		"a fast time-out":                        {kind: "TargetSession", change: `{health: {echoIntervalMilliseconds: 50, echoTimeoutMilliseconds: 250}}`},
		"a ladder without a rung":                {kind: "TargetSession", change: `{restart: {steps: []}}`, want: "spec.restart.steps"},
		"a rung that does not exist":             {kind: "TargetSession", change: `{restart: {steps: [Pray]}}`, want: `"Relaunch"`},
		"a field that does not exist":            {kind: "TargetSession", change: `{qemu: {memory: 512}}`, want: `unknown field "spec.qemu.memory"`},
		"a plain pool":                           {kind: "TargetPool"},
		"a pool with a long name":                {kind: "TargetPool", name: strings.Repeat("x", 47), want: "the name may have at most 46 characters"},
		"a pool without a template":              {kind: "TargetPool", change: `{template: null}`, want: "spec.template: Required"},
		"a pool of too many":                     {kind: "TargetPool", change: `{replicas: 10001}`, want: "less than or equal to 10000"},
		"a pool of negative size":                {kind: "TargetPool", change: `{replicas: -1}`, want: "greater than or equal to 0"},
		"a breaker of 0 percent":                 {kind: "TargetPool", change: `{maxUnhealthyPercent: 0}`, want: "greater than or equal to 1"},
		"a wrong target in a pool":               {kind: "TargetPool", change: `{template: {spec: {qemu: {boot: {iso: {path: /x}}}}}}`, want: "give exactly one of kernel, iso and disk"},
		"a plain campaign":                       {kind: "TaskSet"},
		"a campaign without tasks":               {kind: "TaskSet", change: `{tasks: []}`, want: "at least 1 item"},
		"a campaign without targets":             {kind: "TaskSet", change: `{targets: null}`, want: "spec.targets: Required"},
		"two tasks of one name":                  {kind: "TaskSet", change: `{tasks: [{name: a, pkg: hey}, {name: a, pkg: pi}]}`, want: "Duplicate value"},
		"a binary's name that is too long":       {kind: "TaskSet", change: `{tasks: [{name: a, pkg: abcdefghijklmnop}]}`, want: "pkg must have 1 to 15 characters"},
		"a task without a binary":                {kind: "TaskSet", change: `{tasks: [{name: a}]}`, want: "pkg: Required"},
		"a task with a quota":                    {kind: "TaskSet", change: `{tasks: [{name: a, pkg: hey, quota: 5Mi, config: {arg1: 5, deep: {er: x}}}]}`},
		"a sweep of a stranger":                  {kind: "TaskSet", change: `{sweeps: [{task: nobody, attribute: priority, values: [1]}]}`, want: "every sweep must name a task of spec.tasks"},
		"a sweep of both kinds":                  {kind: "TaskSet", change: `{sweeps: [{task: hello, attribute: priority, values: [1], range: {from: 1, to: 2}}]}`, want: "give either values or range"},
		"a sweep of nothing":                     {kind: "TaskSet", change: `{sweeps: [{task: hello, attribute: priority}]}`, want: "give either values or range"},
		"a sweep of an attribute that is none":   {kind: "TaskSet", change: `{sweeps: [{task: hello, attribute: colour, values: [1]}]}`, want: "attribute must be a field of the task"},
		"a sweep into the configuration":         {kind: "TaskSet", change: `{sweeps: [{task: hello, attribute: config.arg1, values: [1, x, 0.5, true, {a: b}]}, {task: hello, attribute: priority, range: {from: 1, to: 127}}]}`},
		"analysis with its defaults":             {kind: "TaskSet", change: `{analysis: {}}`},
		"analysis with everything":               {kind: "TaskSet", change: `{analysis: {tests: [RTA, G-FP-Guan], policy: FP, cpus: 2, onFail: Reject}}`},
		"a test that does not exist":             {kind: "TaskSet", change: `{analysis: {tests: [SJF]}}`, want: `supported values: "LL", "HB", "RTA"`},
		"a test twice":                           {kind: "TaskSet", change: `{analysis: {tests: [RTA, RTA]}}`, want: "Duplicate value"},
		"no test":                                {kind: "TaskSet", change: `{analysis: {tests: []}}`, want: "at least 1 item"},
		"another end of analysis":                {kind: "TaskSet", change: `{analysis: {onFail: Weep}}`, want: `supported values: "Record", "Skip", "Reject"`},
		"analysis for half a processor":          {kind: "TaskSet", change: `{analysis: {cpus: -1}}`, want: "greater than or equal to 1"},
		"the old tool's order":                   {kind: "TaskSet", change: `{order: Taskgen}`},
		"an order that does not exist":           {kind: "TaskSet", change: `{order: Random}`, want: `supported values: "Given", "Taskgen"`},
		"draws of every kind":                    {kind: "TaskSet", change: `{seed: 42, draws: [{task: hello, attribute: pkg, choice: [hey, pi]}, {task: hello, attribute: priority, uniform: {from: 1, to: 127}}, {task: hello, attribute: config.arg1, logUniform: {from: 1, to: 1000}}]}`},
		"a draw for a stranger":                  {kind: "TaskSet", change: `{draws: [{task: nobody, attribute: priority, choice: [1]}]}`, want: "every draw must name a task of spec.tasks"},
		"a draw of two kinds":                    {kind: "TaskSet", change: `{draws: [{task: hello, attribute: priority, choice: [1], uniform: {from: 1, to: 2}}]}`, want: "give exactly one of uniform, logUniform and choice"},
		"a draw of nothing":                      {kind: "TaskSet", change: `{draws: [{task: hello, attribute: priority}]}`, want: "give exactly one of uniform, logUniform and choice"},
		"a draw of an attribute that is none":    {kind: "TaskSet", change: `{draws: [{task: hello, attribute: colour, choice: [1]}]}`, want: "attribute must be a field of the task"},
		"an interval that runs backwards":        {kind: "TaskSet", change: `{draws: [{task: hello, attribute: priority, uniform: {from: 2, to: 1}}]}`, want: "to must not be less than from"},
		"a logarithm of nothing":                 {kind: "TaskSet", change: `{draws: [{task: hello, attribute: priority, logUniform: {from: 0, to: 1}}]}`, want: "logUniform.from must be at least 1"},
		"a seed that floating point cannot hold": {kind: "TaskSet", change: `{seed: 9007199254740992}`, want: "less than or equal to 9007199254740991"},
		"a zip, a sample and repetitions":        {kind: "TaskSet", change: `{repeat: 3, sample: {count: 4503599627370496}, sweeps: [{task: hello, attribute: priority, values: [1], zip: z-1}, {task: hello, attribute: config.a, range: {from: 1, to: 1}, zip: z-1}]}`},
		"a zip with a bad name":                  {kind: "TaskSet", change: `{sweeps: [{task: hello, attribute: priority, values: [1], zip: "Z 1"}]}`, want: "zip must consist of lower-case letters"},
		"a sample of nothing":                    {kind: "TaskSet", change: `{sample: {count: 0}}`, want: "greater than or equal to 1"},
		"a sample without its count":             {kind: "TaskSet", change: `{sample: {}}`, want: "spec.sample.count: Required"},
		"no repetition at all":                   {kind: "TaskSet", change: `{repeat: 0}`, want: "greater than or equal to 1"},
		"a range that runs backwards":            {kind: "TaskSet", change: `{sweeps: [{task: hello, attribute: priority, range: {from: 5, to: 1}}]}`, want: "range.to must not be less than range.from"},
		"tasks made of blocks":                   {kind: "TaskSet", change: `{tasks: null, blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 10000}, {use: pi.Value, argument: 5, set: {quota: 5Mi, config: {a: {b: 1}}}, sweeps: [{attribute: config.a.b, values: [1, x]}]}]}, {alternatives: [{draws: [{attribute: priority, logUniform: {from: 1, to: 127}}]}]}], sweeps: [{task: hey-0, attribute: priority, values: [1]}]}`},
		"blocks beside tasks":                    {kind: "TaskSet", change: `{blocks: [{alternatives: [{use: hey.HelloWorld}]}]}`},
		"neither tasks nor blocks":               {kind: "TaskSet", change: `{tasks: null}`, want: "there are no tasks; give tasks, blocks or a generator"},
		"no list of blocks":                      {kind: "TaskSet", change: `{tasks: null, blocks: []}`, want: "at least 1 item"},
		"a list without blocks":                  {kind: "TaskSet", change: `{tasks: null, blocks: [{alternatives: []}]}`, want: "at least 1 item"},
		"a list that says nothing":               {kind: "TaskSet", change: `{tasks: null, blocks: [{}]}`, want: "alternatives: Required"},
		"a block with a name that cannot be":     {kind: "TaskSet", change: `{blocks: [{alternatives: [{use: HelloWorld}]}]}`, want: "alternatives[0].use"},
		"a block with a field that is none":      {kind: "TaskSet", change: `{blocks: [{alternatives: [{use: hey.HelloWorld, set: {colour: red}}]}]}`, want: `unknown field "spec.blocks[0].alternatives[0].set.colour"`},
		"a block with a long pkg":                {kind: "TaskSet", change: `{blocks: [{alternatives: [{set: {pkg: abcdefghijklmnop}}]}]}`, want: "set.pkg"},
		"a block with a period beyond the timer": {kind: "TaskSet", change: `{blocks: [{alternatives: [{set: {periodMilliseconds: 2147001}}]}]}`, want: "less than or equal to 2147000"},
		"a block with a sweep of both kinds":     {kind: "TaskSet", change: `{blocks: [{alternatives: [{sweeps: [{attribute: priority, values: [1], range: {from: 1, to: 2}}]}]}]}`, want: "give either values or range"},
		"a block with a draw of nothing":         {kind: "TaskSet", change: `{blocks: [{alternatives: [{draws: [{attribute: priority}]}]}]}`, want: "give exactly one of uniform, logUniform and choice"},
		"a block that is repeated too often":     {kind: "TaskSet", change: `{blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 10001}]}]}`, want: "less than or equal to 10000"},
		"a block that is never there":            {kind: "TaskSet", change: `{blocks: [{alternatives: [{use: hey.HelloWorld, repeat: 0}]}]}`, want: "greater than or equal to 1"},
		"tasks that are generated":               {kind: "TaskSet", change: `{tasks: null, generator: {tasksBetween: {from: 1, to: 1000}, templates: [{set: {pkg: hey}, draws: [{attribute: pkg, choice: [hey, pi]}]}], utilization: {totals: ["0.5", 1], periods: {distribution: Discrete, valuesMilliseconds: [10, 20]}}}, where: ["utilization < 0.9"]}`},
		"a generator of no number":               {kind: "TaskSet", change: `{generator: {templates: [{set: {pkg: hey}}]}}`, want: "give either tasks or tasksBetween"},
		"a generator of two numbers":             {kind: "TaskSet", change: `{generator: {tasks: 1, tasksBetween: {from: 1, to: 2}, templates: [{set: {pkg: hey}}]}}`, want: "give either tasks or tasksBetween"},
		"a generator of too many":                {kind: "TaskSet", change: `{generator: {tasksBetween: {from: 1, to: 1001}, templates: [{set: {pkg: hey}}]}}`, want: "tasksBetween must lie between 1 and 1000"},
		"a generator that runs backwards":        {kind: "TaskSet", change: `{generator: {tasksBetween: {from: 3, to: 2}, templates: [{set: {pkg: hey}}]}}`, want: "to must not be less than from"},
		"a generator of nothing":                 {kind: "TaskSet", change: `{generator: {tasks: 1, templates: []}}`, want: "at least 1 item"},
		"a template without a pkg":               {kind: "TaskSet", change: `{generator: {tasks: 1, templates: [{set: {priority: 1}}]}}`, want: "set.pkg is missing"},
		"a template that says nothing":           {kind: "TaskSet", change: `{generator: {tasks: 1, templates: [{}]}}`, want: "templates[0].set: Required"},
		"a utilization without a total":          {kind: "TaskSet", change: `{generator: {tasks: 1, templates: [{set: {pkg: hey}}], utilization: {periods: {distribution: Discrete, valuesMilliseconds: [10]}}}}`, want: "totals: Required"},
		"a utilization without periods":          {kind: "TaskSet", change: `{generator: {tasks: 1, templates: [{set: {pkg: hey}}], utilization: {totals: ["1"]}}}`, want: "periods: Required"},
		"a method that does not exist":           {kind: "TaskSet", change: `{generator: {tasks: 1, templates: [{set: {pkg: hey}}], utilization: {method: Magic, totals: ["1"], periods: {distribution: Discrete, valuesMilliseconds: [10]}}}}`, want: `supported values: "UUniFast", "UUniFastDiscard", "RandFixedSum"`},
		"periods without their interval":         {kind: "TaskSet", change: `{generator: {tasks: 1, templates: [{set: {pkg: hey}}], utilization: {totals: ["1"], periods: {distribution: Uniform, valuesMilliseconds: [10]}}}}`, want: "Discrete needs valuesMilliseconds; Uniform, LogUniform and Harmonic need betweenMilliseconds"},
		"an expression that is empty":            {kind: "TaskSet", change: `{where: [""]}`, want: "spec.where[0]"},
		"an expression that has no end":          {kind: "TaskSet", change: `{where: ["` + strings.Repeat("x", 1025) + `"]}`, want: "spec.where[0]: Too long"},
		"a campaign's binary without an origin":  {kind: "TaskSet", change: `{binaries: [{name: hey}]}`, want: "give either configMap (with key) or url (with sha256)"},
		"a campaign's download, unchecked":       {kind: "TaskSet", change: `{binaries: [{name: hey, url: "https://x.org/hey"}]}`, want: "url and sha256 belong together"},
	}
	c, namespace := newClient(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.name
			if object == "" {
				object = "x"
			}
			if tc.change == "" {
				tc.change = "{}"
			}
			err := c.Create(t.Context(), build(t, tc.kind, object, namespace, tc.change), client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.want != "" && err == nil:
				t.Errorf("accepted, want %q", tc.want)
			case tc.want != "" && !strings.Contains(err.Error(), tc.want):
				t.Errorf("refused with %q, want %q in it", err, tc.want)
			}
		})
	}
}

func TestWhatResultsReferToCannotBeChanged(t *testing.T) {
	cases := map[string]struct{ before, after, want string }{
		"tasks":           {`{}`, `{tasks: [{name: hello, pkg: pi}]}`, "tasks are immutable because results refer to variant numbers; create a new TaskSet"},
		"sweeps":          {`{sweeps: [{task: hello, attribute: priority, values: [1]}]}`, `{sweeps: [{task: hello, attribute: priority, values: [2]}]}`, "sweeps are immutable"},
		"a further sweep": {`{}`, `{sweeps: [{task: hello, attribute: priority, values: [2]}]}`, "sweeps are immutable"},
		"order":           {`{}`, `{order: Taskgen}`, "order is immutable"},
		"suspend a sweep": {`{sweeps: [{task: hello, attribute: config.a, values: [1, x, true]}]}`, `{sweeps: [{task: hello, attribute: config.a, values: [1, x, true]}], suspend: true}`, ""},
		"draws":           {`{}`, `{draws: [{task: hello, attribute: priority, choice: [1]}]}`, "draws are immutable"},
		"seed":            {`{}`, `{seed: 1}`, "seed is immutable"},
		"sample":          {`{}`, `{sample: {count: 1}}`, "sample is immutable"},
		"repeat":          {`{}`, `{repeat: 2}`, "repeat is immutable"},
		"blocks":          {`{blocks: [{alternatives: [{use: hey.HelloWorld}]}]}`, `{blocks: [{alternatives: [{use: idle.Idle}]}]}`, "blocks are immutable"},
		"no blocks":       {`{blocks: [{alternatives: [{use: hey.HelloWorld}]}]}`, `{}`, "blocks are immutable"},
		"suspend blocks":  {`{blocks: [{alternatives: [{set: {pkg: hey, config: {a: [1, x]}}}]}]}`, `{suspend: true, blocks: [{alternatives: [{set: {pkg: hey, config: {a: [1, x]}}}]}]}`, ""},
		"generator":       {`{generator: {tasks: 1, templates: [{set: {pkg: hey}}]}}`, `{generator: {tasks: 2, templates: [{set: {pkg: hey}}]}}`, "generator is immutable"},
		"where":           {`{}`, `{where: ["true"]}`, "where is immutable"},
		"completion":      {`{}`, `{completion: {jobsPerTask: 2}}`, "completion is immutable because it decides how many jobs"},
		"not completion":  {`{completion: {jobsPerTask: 2}}`, `{completion: {jobsPerTask: 2}, retries: {limit: 9}}`, ""},
		"suspend":         {`{}`, `{suspend: true}`, ""},
		"parallelism":     {`{}`, `{parallelism: 3}`, ""},
	}
	c, namespace := newClient(t)
	for field, tc := range cases {
		t.Run(field, func(t *testing.T) {
			stored := build(t, "TaskSet", strings.ReplaceAll(field, " ", "-"), namespace, tc.before)
			if err := c.Create(t.Context(), stored); err != nil {
				t.Fatal(err)
			}
			changed := build(t, "TaskSet", stored.GetName(), namespace, tc.after)
			changed.SetResourceVersion(stored.GetResourceVersion())
			err := c.Update(t.Context(), changed)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("answer %v, want %q", err, tc.want)
			}
		})
	}
}
