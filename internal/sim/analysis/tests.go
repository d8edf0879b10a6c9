package analysis

import (
	"fmt"
	"strings"
)

// Test is a schedulability test that can be had by name.
type Test struct {
	Name   string
	Policy string // that schedules the tasks
	// Single tests are for one processor only.
	Single bool
	// Exact tests say no only if a deadline can be missed; others say no as well when they do not know.
	Exact  bool
	Source string
	needs  func(Set) bool // of the set, besides what Check wants
	run    func(s Set, processors int) ([]int64, bool)
}

// Verdict is what a test says about a set.
type Verdict struct {
	// Applies is false if the test says nothing about such sets, or so many processors.
	Applies     bool
	Schedulable bool
	// Bounds of the response times, if the test has them: -1 is none. They hold only if the set is schedulable, but
	// for RTA, whose bounds each hold.
	Bounds []int64
}

// Tests lists the tests: those for one processor first. Fixed priorities are the order of the set.
func Tests() []Test {
	return []Test{
		{"LL", "RM", true, false, "Liu and Layland 1973", Set.implicit, single(LiuLayland)},
		{"HB", "RM", true, false, "Bini, Buttazzo and Buttazzo 2003", Set.implicit, single(Hyperbolic)},
		{"RTA", "FP", true, true, "Joseph and Pandya 1986; Lehoczky 1990", anySet, func(s Set, _ int) ([]int64, bool) { return ResponseTimes(s) }},
		{"OPA", "FP", true, true, "Audsley 2001", anySet, single(func(s Set) bool { _, ok := Audsley(s); return ok })},
		{"QPA", "EDF", true, true, "Zhang and Burns 2009", anySet, single(EDF)},
		{"GFB", "G-EDF", false, false, "Goossens, Funk and Baruah 2003", Set.constrained, several(GFB)},
		{"BAK", "G-EDF", false, false, "Baker 2003", Set.constrained, several(BAK)},
		{"BCL", "G-EDF", false, false, "Bertogna, Cirinei and Lipari 2005", Set.constrained, several(BCL)},
		{"BCLI", "G-EDF", false, false, "Bertogna, Cirinei and Lipari 2009", Set.constrained, several(BCLIterative)},
		{"G-EDF-RTA", "G-EDF", false, false, "Bertogna and Cirinei 2007", Set.constrained, GlobalEDF},
		{"G-FP-RTA", "G-FP", false, false, "Bertogna and Cirinei 2007", Set.constrained, GlobalFixedPriority},
		{"G-FP-Guan", "G-FP", false, false, "Guan, Stigge, Yi and Yu 2009", Set.constrained, GlobalFixedPriorityGuan},
		{"EDF-US", "EDF-US[1/2]", false, false, "Baker 2005", Set.implicit, several(EDFUS)},
		{"RM-US", "RM-US[m/(3m-2)]", false, false, "Andersson, Baruah and Jonsson 2001", Set.implicit, several(RMUS)},
		{"P-EDF-FF", "P-EDF-FF", false, false, "Lopez, Diaz and Garcia 2004", Set.implicit, several(PartitionedEDF)},
		{"Optimal", "Pfair and others", false, true, "Baruah, Cohen, Plaxton and Varvel 1996", Set.implicit, several(Feasible)},
	}
}

func anySet(Set) bool { return true }

func single(test func(Set) bool) func(Set, int) ([]int64, bool) {
	return func(s Set, _ int) ([]int64, bool) { return nil, test(s) }
}

func several(test func(Set, int) bool) func(Set, int) ([]int64, bool) {
	return func(s Set, processors int) ([]int64, bool) { return nil, test(s, processors) }
}

// FindTest is the test of that name, whatever the case of its letters.
func FindTest(name string) (Test, error) {
	var names []string
	for _, t := range Tests() {
		if strings.EqualFold(t.Name, name) {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return Test{}, fmt.Errorf("%w: test: %q is not known; use one of %s", ErrInvalid, name, strings.Join(names, ", "))
}

// Run runs the test on a set that Check accepts.
func (t Test) Run(s Set, processors int) Verdict {
	if t.Single && processors != 1 || !t.needs(s) {
		return Verdict{}
	}
	bounds, ok := t.run(s, processors)
	return Verdict{Applies: true, Schedulable: ok, Bounds: bounds}
}
