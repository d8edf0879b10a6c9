package addresses

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

const (
	up     = "True/Ready"
	silent = "False/Unreachable"
)

func TestAPoolHasWhatAnswers(t *testing.T) {
	l := newLab(t)
	l.board(1, faketarget.Options{})
	l.board(3, faketarget.Options{})
	late := l.board(4, faketarget.Options{})
	late.Refuse()
	l.board(6, faketarget.Options{})
	l.pool("boards", v1alpha1.ClassPing, l.at(1)+"-"+l.at(6))
	l.awaitTargets("boards", map[string]string{l.at(1): up, l.at(3): up, l.at(6): up})
	pool := l.awaitPool("boards", up)
	if st := pool.Status; st.Addresses != "6" || st.Replicas != 3 || st.ReadyReplicas != 3 {
		t.Errorf("status = %+v", st)
	}
	ts := testenv.Fetch(l.Lab, "boards-"+strings.ReplaceAll(l.at(3), ".", "-"), &v1alpha1.TargetSession{})
	if ts.Labels["lab"] != "boards" || ts.Spec.Taskloader.Port != l.port || ts.Spec.Class != v1alpha1.ClassPing {
		t.Errorf("TargetSession %+v %+v", ts.ObjectMeta, ts.Spec)
	}

	if err := late.Listen(); err != nil {
		t.Fatal(err)
	}
	l.awaitTargets("boards", map[string]string{l.at(1): up, l.at(3): up, l.at(4): up, l.at(6): up})

	l.fog.hide(l.at(3), true)
	gone := time.Now()
	l.awaitTargets("boards", map[string]string{l.at(1): up, l.at(3): silent, l.at(4): up, l.at(6): up})
	t.Logf("a silent target was reported after %s", time.Since(gone).Round(time.Millisecond))
	l.awaitPool("boards", "False/WaitingForTargets")
	l.fog.hide(l.at(3), false)
	back := time.Now()
	l.awaitPool("boards", up)
	t.Logf("its return was reported after %s", time.Since(back).Round(time.Millisecond))
}

func TestAPoolFollowsItsAddresses(t *testing.T) {
	l := newLab(t)
	for n := 1; n <= 3; n++ {
		l.board(n, faketarget.Options{})
	}
	l.pool("boards", v1alpha1.ClassGenode, l.at(1), l.at(2))
	l.awaitTargets("boards", map[string]string{l.at(1): up, l.at(2): up})
	edit := func(change func(*v1alpha1.TargetPoolSpec)) {
		t.Helper()
		testenv.Edit(l.Lab, "boards", &v1alpha1.TargetPool{}, func(p *v1alpha1.TargetPool) { change(&p.Spec) })
	}
	edit(func(s *v1alpha1.TargetPoolSpec) { s.Addresses = []string{l.at(0) + "/28"} })
	l.awaitTargets("boards", map[string]string{l.at(1): up, l.at(2): up, l.at(3): up})
	edit(func(s *v1alpha1.TargetPoolSpec) { s.ExcludeAddresses = []string{l.at(2)} })
	l.awaitTargets("boards", map[string]string{l.at(1): up, l.at(3): up})
	if pool := l.awaitPool("boards", up); pool.Status.Addresses != "13" {
		t.Errorf("%s addresses", pool.Status.Addresses)
	}

	says := func(part string) {
		t.Helper()
		c := meta.FindStatusCondition(l.awaitPool("boards", "False/Invalid").Status.Conditions, v1alpha1.ConditionReady)
		if !strings.Contains(c.Message, part) {
			t.Errorf("message %q, want %q in it", c.Message, part)
		}
	}
	edit(func(s *v1alpha1.TargetPoolSpec) { s.Addresses = []string{l.at(9) + "-" + l.at(1)} })
	says(l.at(1) + "-" + l.at(9)) // the remedy
	edit(func(s *v1alpha1.TargetPoolSpec) { s.Addresses = []string{l.at(2)} })
	says("none is left")
	edit(func(s *v1alpha1.TargetPoolSpec) { s.Addresses = []string{"fd00::/64"} })
	says("at most 16777216 are scanned")
	l.awaitTargets("boards", map[string]string{l.at(1): up, l.at(3): up}) // nothing was lost by the mistakes
}

func TestAnAddressInTwoPoolsIsOneTarget(t *testing.T) {
	l := newLab(t)
	l.board(1, faketarget.Options{})
	l.board(2, faketarget.Options{})
	l.pool("a", v1alpha1.ClassGenode, l.at(1))
	l.awaitPool("a", up)
	l.pool("b", v1alpha1.ClassGenode, l.at(1), l.at(2))
	l.awaitTargets("b", map[string]string{l.at(1): "False/AddressTaken", l.at(2): up})
	l.awaitPool("a", up)
	if err := l.Delete(t.Context(), testenv.Fetch(l.Lab, "a", &v1alpha1.TargetPool{})); err != nil {
		t.Fatal(err)
	}
	// There is no garbage collector behind this API server.
	name := "a-" + strings.ReplaceAll(l.at(1), ".", "-")
	if err := l.Delete(t.Context(), testenv.Fetch(l.Lab, name, &v1alpha1.TargetSession{})); err != nil {
		t.Fatal(err)
	}
	l.awaitTargets("b", map[string]string{l.at(1): up, l.at(2): up})
}

func TestNothingAnswers(t *testing.T) {
	l := newLab(t)
	l.board(1, faketarget.Options{}).Refuse()
	l.pool("boards", v1alpha1.ClassGenode, l.at(0)+"/29")
	c := meta.FindStatusCondition(l.awaitPool("boards", "False/Scanning").Status.Conditions, v1alpha1.ConditionReady)
	if want := "none of 6 addresses has answered yet"; c.Message != want {
		t.Errorf("message %q, want %q", c.Message, want)
	}
}
