package variant

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset/library"
)

const purposeHash = "genode-operator/spec/1"

// decisive is what decides the variants, and nothing else. Every part is there that one may leave out.
type decisive struct {
	Tasks     []v1alpha1.Task             `json:",omitempty"`
	Blocks    []v1alpha1.BlockList        `json:",omitempty"`
	Library   map[string][]v1alpha1.Block `json:",omitempty"` // what Blocks use of it
	Generator *v1alpha1.Generator         `json:",omitempty"`
	Sweeps    []v1alpha1.Sweep            `json:",omitempty"`
	Order     v1alpha1.Order              `json:",omitempty"`
	Draws     []v1alpha1.Draw             `json:",omitempty"`
	Where     []string                    `json:",omitempty"`
	Sample    *v1alpha1.Sample            `json:",omitempty"`
	Repeat    int32                       `json:",omitempty"`
	Seed      *int64                      `json:",omitempty"`
	Jobs      int32                       `json:",omitempty"` // numberOfJobs of tasks that blocks and the generator make
}

// Hash is the SHA-256, in hex, over what decides the variants: two specs with the same one have the same
// variants under the same numbers, if they have the same seed. It does not depend on whether defaults are
// spelled out, on the spelling of quantities and on the order of keys. A seed that comes from the UID is not
// part of it.
func Hash(spec *v1alpha1.TaskSetSpec) string {
	c := canonical(spec)
	text, err := json.Marshal(c)
	if err != nil { // a config that is no JSON, which Build refuses
		text = []byte(err.Error())
	}
	sum := sha256.Sum256(append([]byte(purposeHash), sorted(text)...))
	return hex.EncodeToString(sum[:])
}

// sorted is the document with the keys of all objects in order, those of configs included.
func sorted(text []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // 1.0 and 1 are different texts in a config
	var tree any
	if d.Decode(&tree) != nil {
		return text
	}
	out, err := json.Marshal(tree)
	if err != nil {
		return text
	}
	return out
}

func canonical(spec *v1alpha1.TaskSetSpec) decisive {
	s := spec.DeepCopy()
	c := decisive{
		Tasks: s.Tasks, Blocks: s.Blocks, Generator: s.Generator, Sweeps: s.Sweeps, Order: s.Order,
		Draws: s.Draws, Where: s.Where, Sample: s.Sample, Repeat: max(s.Repeat, 1), Seed: s.Seed,
	}
	jobs := defaultJobs(spec)
	for i := range c.Tasks {
		t := &c.Tasks[i]
		setDefault(&t.Quota, *resource.NewQuantity(defaultQuota, resource.BinarySI))
		plain(t.Quota)
		setDefault(&t.NumberOfJobs, jobs)
	}
	if len(c.Blocks) > 0 || c.Generator != nil {
		c.Jobs = jobs
	}
	c.Library = map[string][]v1alpha1.Block{}
	for i := range c.Blocks {
		canonicalBlocks(c.Blocks[i].Alternatives, c.Library)
	}
	canonicalGenerator(c.Generator)
	for i := range c.Sweeps {
		canonicalRange(c.Sweeps[i].Range)
	}
	if c.Order == "" {
		c.Order = v1alpha1.OrderGiven
	}
	return c
}

// canonicalBlocks adds what the blocks use of the library, so that another release with other blocks has
// another hash.
func canonicalBlocks(blocks []v1alpha1.Block, used map[string][]v1alpha1.Block) {
	for i := range blocks {
		b := &blocks[i]
		setDefault(&b.Repeat, 1)
		if b.Set != nil {
			plain(b.Set.Quota)
		}
		for j := range b.Sweeps {
			canonicalRange(b.Sweeps[j].Range)
		}
		if b.Use == "" {
			continue
		}
		key := b.Use
		if b.Argument != nil {
			key = fmt.Sprintf("%s(%d)", b.Use, *b.Argument)
		}
		if _, known := used[key]; known {
			continue
		}
		below, err := library.Alternatives(b.Use, b.Argument)
		if err != nil { // Build refuses it
			continue
		}
		used[key] = below
		canonicalBlocks(below, used)
	}
}

func canonicalGenerator(g *v1alpha1.Generator) {
	if g == nil {
		return
	}
	for i := range g.Templates {
		if set := g.Templates[i].Set; set != nil {
			plain(set.Quota)
		}
	}
	if g.Tasks != nil {
		n := int64(*g.Tasks)
		g.Tasks, g.TasksBetween = nil, &v1alpha1.IntegerInterval{From: &n, To: &n}
	}
	u := g.Utilization
	if u == nil {
		return
	}
	if u.Method == "" {
		u.Method = v1alpha1.MethodRandFixedSum
	}
	for i := range u.Totals {
		plain(&u.Totals[i])
	}
	setDefault(&u.MaxPerTask, resource.MustParse("1"))
	plain(u.MaxPerTask)
	u.Deadlines = cmp.Or(u.Deadlines, v1alpha1.DeadlinesNone)
	setDefault(&u.LoadPerMillisecond, 1)
}

func canonicalRange(r *v1alpha1.IntegerRange) {
	if r != nil {
		r.Step = max(r.Step, 1)
	}
}

func setDefault[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

// plain spells a quantity in one way: 1Mi, 1024Ki and 1048576 are the same.
func plain(q *resource.Quantity) {
	if q != nil {
		*q = *resource.NewDecimalQuantity(*q.AsDec(), resource.DecimalSI)
	}
}
