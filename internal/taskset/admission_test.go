package taskset_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

// The documented dictionary as the first client sent it: 178 bytes.
func TestTheOptimizeDocumentIsByteForByteWhatTheFirstClientSent(t *testing.T) {
	want := "<optimize>\n\t<goal>\n\t\t<fairness>\n\t\t\t<apply>1</apply>\n\t\t</fairness>\n" +
		"\t\t<utilization>\n\t\t\t<apply>0</apply>\n\t\t</utilization>\n\t</goal>\n" +
		"\t<query_interval>1000</query_interval>\n</optimize>"
	got := taskset.OptimizeDocument(taskset.Admission{Goal: taskset.GoalFairness})
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if len(got) != 178 {
		t.Errorf("it has %d bytes, want 178", len(got))
	}
}

// Controllers die of a document in which one of the elements is missing.
func TestEveryGoalHasAllElements(t *testing.T) {
	for goal, want := range map[string][2]string{
		taskset.GoalNone: {"0", "0"}, taskset.GoalFairness: {"1", "0"}, taskset.GoalUtilization: {"0", "1"},
	} {
		a := taskset.Admission{Goal: goal, QueryInterval: 250 * time.Millisecond}
		elements := "<goal><fairness><apply>" + want[0] + "</apply></fairness><utilization><apply>" + want[1] + "</apply></utilization></goal>"
		flat := func(text []byte) string { return strings.NewReplacer("\n", "", "\t", "").Replace(string(text)) }
		if got := flat(taskset.OptimizeDocument(a)); got != "<optimize>"+elements+"<query_interval>250</query_interval></optimize>" {
			t.Errorf("%s: %s", goal, got)
		}
		with := flat(taskset.DescriptionWithGoal([]taskset.Task{hey()}, &a))
		if want := strings.Replace(flat(taskset.Description([]taskset.Task{hey()})), "<taskset>", "<taskset>"+elements, 1); with != want {
			t.Errorf("%s: %s", goal, with)
		}
	}
}

func TestCheckOfAdmission(t *testing.T) {
	fair := &taskset.Admission{Goal: taskset.GoalFairness}
	for name, test := range map[string]struct {
		admission  *taskset.Admission
		generation string
		tasks      int
		want       string
	}{
		"nothing to tell":                 {nil, taskset.G1802, 5000, ""},
		"2017 gets a message":             {fair, taskset.G2017, 1, ""},
		"1608b gets it in the task-set":   {fair, taskset.G1608b, 1, ""},
		"unknown generation":              {fair, taskset.Auto, 1, ""},
		"1608a does not know the word":    {fair, taskset.G1608a, 1, "generation 1608a has no way to be told; remove it, or use targets of generation 2017 or 1608b"},
		"1802 has it commented out":       {fair, taskset.G1802, 1, "generation 1802 has no way"},
		"a goal that does not exist":      {&taskset.Admission{Goal: "Speed"}, taskset.G2017, 1, `admissionControl.goal: "Speed": use None, Fairness or Utilization`},
		"no goal":                         {&taskset.Admission{}, taskset.G2017, 1, `admissionControl.goal: "": use`},
		"half a millisecond":              {&taskset.Admission{Goal: taskset.GoalNone, QueryInterval: time.Millisecond / 2}, taskset.G2017, 1, "queryIntervalMilliseconds: 500µs: use whole"},
		"tasks that cannot be told apart": {fair, taskset.G2017, 1001, "there are 1001 tasks; remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.admission.Check(make([]taskset.Task, test.tasks), test.generation)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want %q", err, test.want)
			}
		})
	}
}
