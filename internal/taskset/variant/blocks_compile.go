package variant

import (
	"fmt"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/library"
)

// part is a block without use, read once for all tasks that it is a part of.
type part struct {
	sets          []setting
	sweeps, draws []*varying
}

// setting gives an attribute a value.
type setting struct {
	attribute string
	set       func(*taskset.Task)
}

// alternativeParts is one alternative of a list: its parts apply one after the other.
type alternativeParts []*part

// maxUses is how deep blocks of the library may use one another.
const maxUses = 8

// compileList reads the alternatives of one list, each as often as it is repeated.
func compileList(path string, blocks []v1alpha1.Block) ([]alternativeParts, error) {
	if len(blocks) == 0 {
		return nil, fmt.Errorf("%s: there are none, so that there would be no task; add one, or remove the list", path)
	}
	var all []alternativeParts
	for j := range blocks {
		at := fmt.Sprintf("%s[%d]", path, j)
		some, err := compileBlock(at, &blocks[j], 0)
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); len(all) > taskset.MaxTasks {
			return nil, fmt.Errorf("%s: there are more than %d alternatives up to here; leave some out, or repeat less", at, taskset.MaxTasks)
		}
	}
	return all, nil
}

// compileBlock reads a block. It is several alternatives if it uses a list of the library or is repeated.
func compileBlock(path string, b *v1alpha1.Block, depth int) ([]alternativeParts, error) {
	used, err := compileUse(path, b, depth)
	if err != nil {
		return nil, err
	}
	own := &part{}
	if own.sets, err = compileSet(path+".set", b.Set); err != nil {
		return nil, err
	}
	if own.sweeps, err = compileSweeps(path+".sweeps", b.Sweeps); err != nil {
		return nil, err
	}
	if own.draws, err = compileDraws(path+".draws", b.Draws); err != nil {
		return nil, err
	}
	repeat := 1
	if b.Repeat != nil {
		repeat = int(*b.Repeat)
	}
	if repeat < 1 || repeat > taskset.MaxTasks {
		return nil, fmt.Errorf("%s.repeat: %d is out of range; use 1 to %d", path, repeat, taskset.MaxTasks)
	}
	if n := repeat * len(used); n > taskset.MaxTasks {
		return nil, fmt.Errorf("%s.repeat: %d times %d alternatives are %d; use at most %d in all", path, repeat, len(used), n, taskset.MaxTasks)
	}
	all := make([]alternativeParts, 0, repeat*len(used))
	for range repeat {
		for _, parts := range used {
			all = append(all, append(parts[:len(parts):len(parts)], own))
		}
	}
	return all, nil
}

// compileUse reads the block of the library that a block begins with; without one it begins with nothing.
func compileUse(path string, b *v1alpha1.Block, depth int) ([]alternativeParts, error) {
	if b.Use == "" {
		if b.Argument != nil {
			return nil, fmt.Errorf("%s.argument: %d is for no block; name one in use, or remove it", path, *b.Argument)
		}
		return []alternativeParts{nil}, nil
	}
	if depth == maxUses {
		return nil, fmt.Errorf("%s.use: %q is the %dth block that uses another one; the library goes in a circle", path, b.Use, depth+1)
	}
	blocks, err := library.Alternatives(b.Use, b.Argument)
	if err != nil {
		return nil, fmt.Errorf("%s.%w", path, err)
	}
	var all []alternativeParts
	for k := range blocks {
		some, err := compileBlock(fmt.Sprintf("%s (%s)[%d]", path, b.Use, k), &blocks[k], depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}
