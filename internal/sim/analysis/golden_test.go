package analysis_test

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim/analysis"
)

// golden is a line of testdata/golden.jsonl: verdicts and bounds that several independent tools agreed on.
// Times are microseconds; a bound of null is none.
type golden struct {
	ID         int        `json:"id"`
	CPUs       int        `json:"cpus"`
	Tasks      [][3]int64 `json:"tasks"`
	LiuLayland bool       `json:"liu_layland"`
	Hyperbolic bool       `json:"hyperbolic"`
	RTA        []*int64   `json:"rta"`
	FP         bool       `json:"fp_dm_schedulable"`
	EDF        bool       `json:"edf_schedulable"`
	GFB        bool       `json:"gfb"`
	BAK        bool       `json:"bak"`
	BCL        bool       `json:"bcl"`
	BCLI       bool       `json:"bcl_iterative"`
	GEDF       bool       `json:"gedf_rta"`
	GEDFBounds []int64    `json:"gedf_rta_bounds"`
	GFP        bool       `json:"gfp_bertogna"`
	GFPBounds  []int64    `json:"gfp_bertogna_bounds"`
	Guan       bool       `json:"gfp_guan"`
	GuanBounds []int64    `json:"gfp_guan_bounds"`
}

func (g golden) set() analysis.Set {
	var s analysis.Set
	for _, t := range g.Tasks {
		s = append(s, analysis.Task{C: t[0], T: t[1], D: t[2]})
	}
	return s
}

func readGolden(t *testing.T) []golden {
	t.Helper()
	f, err := os.Open("testdata/golden.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []golden
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var g golden
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	if len(all) < 60 {
		t.Fatalf("%d golden sets, want at least 60", len(all))
	}
	return all
}

func TestOneProcessorAgreesWithOtherTools(t *testing.T) {
	for _, g := range readGolden(t) {
		if g.CPUs != 1 {
			continue
		}
		s := g.set()
		if got := analysis.LiuLayland(s); got != g.LiuLayland {
			t.Errorf("set %d: LiuLayland = %v", g.ID, got)
		}
		if got := analysis.Hyperbolic(s); got != g.Hyperbolic {
			t.Errorf("set %d: Hyperbolic = %v", g.ID, got)
		}
		if got := analysis.EDF(s); got != g.EDF {
			t.Errorf("set %d: EDF = %v", g.ID, got)
		}
		worst, ok := analysis.ResponseTimes(s)
		if ok != g.FP {
			t.Errorf("set %d: fixed priorities schedulable = %v", g.ID, ok)
		}
		for i, want := range g.RTA {
			if want == nil && worst[i] != -1 || want != nil && worst[i] != *want {
				t.Errorf("set %d: response times %v, task %d differs", g.ID, worst, i)
			}
		}
	}
}

func TestSeveralProcessorsAgreeWithOtherTools(t *testing.T) {
	for _, g := range readGolden(t) {
		if g.CPUs == 1 {
			continue
		}
		s := g.set()
		for name, is := range map[string][2]bool{
			"GFB": {analysis.GFB(s, g.CPUs), g.GFB}, "BAK": {analysis.BAK(s, g.CPUs), g.BAK},
			"BCL": {analysis.BCL(s, g.CPUs), g.BCL}, "BCLIterative": {analysis.BCLIterative(s, g.CPUs), g.BCLI},
		} {
			if is[0] != is[1] {
				t.Errorf("set %d on %d: %s = %v", g.ID, g.CPUs, name, is[0])
			}
		}
		for name, c := range map[string]struct {
			test   func(analysis.Set, int) ([]int64, bool)
			ok     bool
			bounds []int64
		}{
			"GlobalEDF":               {analysis.GlobalEDF, g.GEDF, g.GEDFBounds},
			"GlobalFixedPriority":     {analysis.GlobalFixedPriority, g.GFP, g.GFPBounds},
			"GlobalFixedPriorityGuan": {analysis.GlobalFixedPriorityGuan, g.Guan, g.GuanBounds},
		} {
			bounds, ok := c.test(s, g.CPUs)
			if ok != c.ok || c.ok && !slices.Equal(bounds, c.bounds) {
				t.Errorf("set %d on %d: %s = %v %v, want %v %v", g.ID, g.CPUs, name, ok, bounds, c.ok, c.bounds)
			}
		}
	}
}
