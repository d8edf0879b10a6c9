package targetpool

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/outcome"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// world is a pool whose sessions are described by a letter each, by ordinal: R ready, U unready, r and u
// the same with an old template, D being deleted, x a stranger with that name, '.' none.
func world(replicas int32, sessions string) *scope {
	pool := &v1alpha1.TargetPool{ObjectMeta: metav1.ObjectMeta{Name: "arm", Namespace: "lab", UID: "p", Generation: 4}, Spec: v1alpha1.TargetPoolSpec{Replicas: &replicas}}
	s := &scope{now: now, pool: pool, hash: "new", sessions: map[string]*v1alpha1.TargetSession{}, taken: map[string]*v1alpha1.TargetSession{}, wanted: ordinals(pool)}
	for ordinal, letter := range sessions {
		ts := &v1alpha1.TargetSession{ObjectMeta: metav1.ObjectMeta{Name: sessionName("arm", ordinal), Generation: 7, Annotations: map[string]string{v1alpha1.AnnotationTemplateHash: "new"}}}
		if strings.ContainsRune("ru", letter) {
			ts.Annotations[v1alpha1.AnnotationTemplateHash] = "old"
		}
		if strings.ContainsRune("Rr", letter) {
			ts.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, ObservedGeneration: 7}}
		}
		switch letter {
		case '.':
		case 'x':
			s.taken[ts.Name] = ts
		case 'D':
			ts.DeletionTimestamp = &metav1.Time{Time: now}
			s.sessions[ts.Name] = ts
		default:
			s.sessions[ts.Name] = ts
		}
	}
	s.before = pool.DeepCopy()
	return s
}

func outline(p plan) string {
	var words []string
	for _, ts := range p.remove {
		words = append(words, "delete "+ts.Name)
	}
	for _, m := range p.apply {
		words = append(words, "apply "+m.name)
	}
	return strings.Join(words, ", ")
}

func TestDecide(t *testing.T) {
	cases := map[string]struct {
		replicas int32
		sessions string
		want     string
	}{
		"a new pool makes all":                              {3, "", "apply arm-0, apply arm-1, apply arm-2"},
		"a complete pool is left alone":                     {3, "RUR", ""},
		"a gap is filled":                                   {3, "R.R", "apply arm-1"},
		"the highest ordinals go first":                     {1, "RRR", "delete arm-2, delete arm-1"},
		"a session that goes already is not deleted again":  {1, "RRD", "delete arm-1"},
		"a pool of none deletes all":                        {0, "RR", "delete arm-1, delete arm-0"},
		"a taken name is left alone":                        {3, "RxR", ""},
		"a new template is rolled out one by one":           {3, "rrr", "apply arm-0"},
		"the next one waits until the one before is ready":  {3, "Urr", ""},
		"the next one follows when the one before is ready": {3, "Rrr", "apply arm-1"},
		"the rollout waits for a session that goes":         {3, "RDr", ""},
		"the rollout waits for a session that is missing":   {3, "Rr.", "apply arm-2"},
		"unready ones get a new template at once":           {3, "uru", "apply arm-0, apply arm-2"},
		"surplus ones are not updated":                      {1, "Rr", "delete arm-1"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, outline(decide(world(tc.replicas, tc.sessions)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPassMakesABatch(t *testing.T) {
	p := decide(world(10_000, ""))
	if len(p.apply) != batch || !p.more {
		t.Errorf("%d sessions in one pass, more: %v", len(p.apply), p.more)
	}
}

func TestADeletedPoolMakesNothing(t *testing.T) {
	s := world(3, "R")
	s.pool.DeletionTimestamp = &metav1.Time{Time: now}
	if p := decide(s); len(p.apply)+len(p.remove) > 0 {
		t.Errorf("plan %+v", p)
	}
}

func TestReport(t *testing.T) {
	cases := map[string]struct {
		replicas int32
		sessions string
		end      outcome.End
		want     string // Ready
		message  string // part of it
		counts   [3]int32
	}{
		"a complete pool":            {3, "RRR", nil, "True/Ready", "all 3 targets are ready", [3]int32{3, 3, 3}},
		"a pool of none":             {0, "", nil, "True/Ready", "all 0 targets", [3]int32{}},
		"a pool that grows":          {3, "R", nil, "False/Scaling", "1 targets exist, 3 are wanted", [3]int32{1, 1, 1}},
		"a pool that shrinks":        {1, "RR", nil, "False/Scaling", "2 targets exist, 1 are wanted", [3]int32{2, 2, 2}},
		"a rollout":                  {3, "Rrr", nil, "False/Updating", "1 of 3 targets have the newest template", [3]int32{3, 3, 1}},
		"a target that is not ready": {3, "RUR", nil, "False/WaitingForTargets", "2 of 3 targets are ready", [3]int32{3, 2, 3}},
		"a taken name":               {3, "RxR", nil, "False/NameTaken", "TargetSession arm-1 belongs to somebody else", [3]int32{2, 2, 2}},
		"an API server that refuses": {3, "R", outcome.Retry{Err: fmt.Errorf("quota exceeded")}, "False/Scaling", "quota exceeded", [3]int32{1, 1, 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := world(tc.replicas, tc.sessions)
			report(s, tc.end)
			st := s.pool.Status
			c := meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionReady)
			if got := string(c.Status) + "/" + c.Reason; got != tc.want || !strings.Contains(c.Message, tc.message) || c.ObservedGeneration != 4 {
				t.Errorf("Ready = %s %q of generation %d, want %s %q", got, c.Message, c.ObservedGeneration, tc.want, tc.message)
			}
			if got := [3]int32{st.Replicas, st.ReadyReplicas, st.UpdatedReplicas}; got != tc.counts {
				t.Errorf("counts = %v, want %v", got, tc.counts)
			}
			if st.Selector != "genode-operator.io/pool=arm" {
				t.Errorf("selector = %q", st.Selector)
			}
		})
	}
}

func TestReadinessIsThatOfTheNewestSpec(t *testing.T) {
	s := world(1, "R")
	s.sessions["arm-0"].Generation++
	if isReady(s.sessions["arm-0"]) {
		t.Error("a session counts as ready although its controller has not seen its spec yet")
	}
}

func TestOrdinals(t *testing.T) {
	for name, want := range map[string]int{"arm-0": 0, "arm-12": 12, "arm-01": -1, "arm-": -1, "arm--1": -1, "arm-x": -1, "army-1": -1} {
		if got := ordinalOf("arm", name); got != want {
			t.Errorf("ordinalOf(%s) = %d, want %d", name, got, want)
		}
	}
}

func TestTemplateHashFollowsTheTemplate(t *testing.T) {
	a := v1alpha1.TargetSessionTemplate{Spec: v1alpha1.TargetSessionSpec{Restart: v1alpha1.RestartSpec{Limit: ptr.To[int32](1)}}}
	b := *a.DeepCopy()
	same := func() bool {
		x, err := templateHash(&a)
		y, err2 := templateHash(&b)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		return x == y
	}
	if !same() {
		t.Error("equal templates have different hashes")
	}
	b.Metadata.Labels = map[string]string{"a": "b"}
	if same() {
		t.Error("different templates have equal hashes")
	}
}
