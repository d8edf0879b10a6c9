package variant

import (
	"maps"
	"slices"
)

// Pkgs lists every pkg that a task can have in some variant, in alphabetical order. What spec.where leaves out
// counts all the same.
func (s *Space) Pkgs() []string {
	all := map[string]struct{}{}
	varies := map[int]bool{} // tasks whose own pkg never shows
	for _, a := range s.varied() {
		if a.attribute == attributePkg {
			varies[a.task] = true
			a.addTexts(all)
		}
	}
	for i, t := range s.base {
		if !varies[i] {
			all[t.Pkg] = struct{}{}
		}
	}
	if s.generated != nil {
		for _, p := range s.generated.templates {
			p.addPkgs(all)
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func (a *axis) addTexts(to map[string]struct{}) {
	for _, v := range a.values {
		to[v.text] = struct{}{}
	}
}

func (p *prototype) addPkgs(to map[string]struct{}) {
	drawn := false
	for i := range p.draws {
		if d := &p.draws[i]; d.attribute == attributePkg {
			drawn = true
			d.addTexts(to)
		}
	}
	if !drawn {
		to[p.task.Pkg] = struct{}{}
	}
}
