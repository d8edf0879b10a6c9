package addresstarget

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
)

// made is a session that was made some seconds after the start; its name is its UID.
func made(name string, class v1alpha1.SessionClass, seconds int) v1alpha1.TargetSession {
	ts := v1alpha1.TargetSession{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "lab", Name: name, UID: types.UID(name), Generation: 3,
			CreationTimestamp: metav1.NewTime(start.Add(time.Duration(seconds) * time.Second)),
		},
		Spec: v1alpha1.TargetSessionSpec{Class: class},
	}
	if class != v1alpha1.ClassStdio && class != v1alpha1.ClassSimSo {
		ts.Spec.Address = "192.0.2.7"
	}
	return ts
}

func world(ts v1alpha1.TargetSession, sight Sight, others ...v1alpha1.TargetSession) *scope {
	return &scope{
		now: start, session: &ts, before: ts.DeepCopy(), sight: sight,
		peer: Peer{Target: TargetOf(&ts)}, sames: append(others, ts),
	}
}

func TestDecideAndReport(t *testing.T) {
	board := made("board", v1alpha1.ClassPing, 10)
	going := made("going", v1alpha1.ClassPing, 0)
	going.DeletionTimestamp = &metav1.Time{Time: start}
	strange := made("sim", v1alpha1.ClassSimSo, 0)
	strange.Spec.SimSo = &v1alpha1.SimSoTarget{Scheduler: "SJF"}
	cases := map[string]struct {
		scope   *scope
		watch   bool
		alive   string
		ready   string
		message string
	}{
		"a target that was not looked at yet":     {world(board, Sight{}), true, "Unknown/Pending", "Unknown/Pending", "192.0.2.7:3001 is being contacted"},
		"a target that answers":                   {world(board, Sight{Seen: true, Answers: true}), true, "True/Reachable", "True/Ready", "192.0.2.7:3001 answers"},
		"a target that is silent":                 {world(board, Sight{Seen: true, Error: "no route to host"}), true, "False/Unreachable", "False/Unreachable", "192.0.2.7:3001: no route to host"},
		"a dry run":                               {world(made("dry", v1alpha1.ClassStdio, 0), Sight{}), false, "True/Reachable", "True/Ready", "dry run"},
		"a simulated target":                      {world(made("sim", v1alpha1.ClassSimSo, 0), Sight{}), false, "True/Reachable", "True/Ready", "the manager simulates"},
		"a simulation that cannot be":             {world(strange, Sight{}), false, "False/Invalid", "False/Invalid", `scheduler: "SJF" is not known; use one of`},
		"an older session has the address":        {world(board, Sight{}, made("first", v1alpha1.ClassGenode, 9)), false, "False/AddressTaken", "False/AddressTaken", "192.0.2.7:3001 belongs to TargetSession lab/first"},
		"a younger session wants the address":     {world(board, Sight{}, made("a-late", v1alpha1.ClassPing, 11)), true, "Unknown/Pending", "Unknown/Pending", ""},
		"of the same second, the name decides":    {world(board, Sight{}, made("also", v1alpha1.ClassPing, 10)), false, "False/AddressTaken", "False/AddressTaken", "lab/also"},
		"an older session that goes is no hurdle": {world(board, Sight{}, going), true, "Unknown/Pending", "Unknown/Pending", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := decide(tc.scope)
			report(tc.scope, p)
			if p.watch != tc.watch {
				t.Errorf("watch = %v", p.watch)
			}
			if got := condition(tc.scope.session, v1alpha1.ConditionGuestAlive); got != tc.alive {
				t.Errorf("GuestAlive = %s, want %s", got, tc.alive)
			}
			if got := condition(tc.scope.session, v1alpha1.ConditionReady); got != tc.ready {
				t.Errorf("Ready = %s, want %s", got, tc.ready)
			}
			c := meta.FindStatusCondition(tc.scope.session.Status.Conditions, v1alpha1.ConditionGuestAlive)
			if !strings.Contains(c.Message, tc.message) {
				t.Errorf("message %q lacks %q", c.Message, tc.message)
			}
			st := tc.scope.session.Status
			if st.ObservedGeneration != 3 || st.Address != tc.scope.session.Spec.Address || (st.HealthySince != nil) != (tc.ready == "True/Ready") {
				t.Errorf("status = %+v", st)
			}
		})
	}
}

func condition(ts *v1alpha1.TargetSession, kind string) string {
	c := meta.FindStatusCondition(ts.Status.Conditions, kind)
	if c == nil {
		return "absent"
	}
	return string(c.Status) + "/" + c.Reason
}

func TestADeletedSessionIsNoLongerLookedAt(t *testing.T) {
	ts := made("board", v1alpha1.ClassPing, 0)
	ts.DeletionTimestamp = &metav1.Time{Time: start}
	if p := decide(world(ts, Sight{})); p.watch {
		t.Error("it is")
	}
}

// after is a scope whose session was reported before with another sight.
func after(before, now Sight) *scope {
	s := world(made("board", v1alpha1.ClassPing, 0), before)
	report(s, decide(s))
	s.before, s.sight = s.session.DeepCopy(), now
	return s
}

func TestAnotherManagerKeepsWhatIsKnown(t *testing.T) {
	s := after(Sight{Seen: true, Answers: true}, Sight{})
	report(s, decide(s))
	if got := condition(s.session, v1alpha1.ConditionReady); got != "True/Ready" {
		t.Errorf("Ready = %s", got)
	}
	s.session.Generation++ // it may have another address now
	s.before = s.session.DeepCopy()
	report(s, decide(s))
	if got := condition(s.session, v1alpha1.ConditionReady); got != "Unknown/Pending" {
		t.Errorf("Ready of another spec = %s", got)
	}
}

func TestEventsTellOfTransitionsOnly(t *testing.T) {
	up, down := Sight{Seen: true, Answers: true, Since: start, Outage: 1500 * ms}, Sight{Seen: true, Since: start, Silent: 900 * ms, Error: "time-out"}
	cases := map[string]struct {
		scope *scope
		want  string
	}{
		"lost":              {after(up, down), "TargetLost 192.0.2.7:3001 has not answered for 900 ms: time-out"},
		"back":              {after(down, up), "TargetBack 192.0.2.7:3001 answers again, 1500 ms after it was lost"},
		"still there":       {after(up, up), ""},
		"there at once":     {after(Sight{}, up), ""},
		"never there":       {after(Sight{}, down), ""},
		"taken by an older": {world(made("board", v1alpha1.ClassPing, 1), Sight{}, made("first", v1alpha1.ClassPing, 0)), "AddressTaken 192.0.2.7:3001 belongs to TargetSession lab/first, which is older; delete one of the two, or exclude the address from one of their pools"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			report(tc.scope, decide(tc.scope))
			got := ""
			for _, e := range transitions(tc.scope) {
				got += e.Reason + " " + e.Note
			}
			if got != tc.want {
				t.Errorf("told %q, want %q", got, tc.want)
			}
		})
	}
}
