package taskset_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/taskset"
)

func hey() taskset.Task {
	return taskset.Task{Name: "hello", Pkg: "hey", Quota: 1 << 20, Priority: 10, NumberOfJobs: 1}
}

func TestDescriptionIsByteForByteWhatTheFirstClientSent(t *testing.T) {
	task := hey()
	task.ExecutionTime = 99999999
	want := "<taskset>\n\t<periodictask>\n\t\t<id>0</id>\n\t\t<priority>10</priority>\n\t\t<quota>1M</quota>\n" +
		"\t\t<pkg>hey</pkg>\n\t\t<config></config>\n\t\t<period>0</period>\n\t\t<numberofjobs>1</numberofjobs>\n" +
		"\t\t<criticaltime>0</criticaltime>\n\t\t<executiontime>99999999</executiontime>\n\t</periodictask>\n</taskset>"
	got := taskset.Description([]taskset.Task{task})
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("description (-want +got):\n%s", diff)
	}
	if len(got) != 278 {
		t.Errorf("description has %d bytes, want 278", len(got))
	}
}

func TestDescriptionSendsEverythingThatIsSet(t *testing.T) {
	task := taskset.Task{
		ID: 1, Pkg: "pi", Quota: 512 << 10, Priority: 3, Period: 20, CriticalTime: 30, ExecutionTime: 4,
		Deadline: 50, Offset: 6, NumberOfJobs: 7, Caps: 100, Cores: 2, CoreOffset: 1,
		Config: taskset.Config{
			{Name: "arg1", Text: "a<b & c>d"},
			{Name: "deep", Children: taskset.Config{{Name: "leaf", Text: "1"}, {Name: "leaf", Text: "2"}}},
		},
	}
	want := `		<id>1</id>
		<priority>3</priority>
		<quota>512K</quota>
		<pkg>pi</pkg>
		<config>
			<arg1>a&lt;b &amp; c&gt;d</arg1>
			<deep>
				<leaf>1</leaf>
				<leaf>2</leaf>
			</deep>
		</config>
		<period>20</period>
		<numberofjobs>7</numberofjobs>
		<caps>100</caps>
		<coreoffset>1</coreoffset>
		<cores>2</cores>
		<criticaltime>30</criticaltime>
		<deadline>50</deadline>
		<executiontime>4</executiontime>
		<offset>6</offset>
`
	got := string(taskset.Description([]taskset.Task{task}))
	got = strings.TrimPrefix(got, "<taskset>\n\t<periodictask>\n")
	got = strings.TrimSuffix(got, "\t</periodictask>\n</taskset>")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("description (-want +got):\n%s", diff)
	}
}

func TestQuotaText(t *testing.T) {
	for bytes, want := range map[uint64]string{
		0: "0", 1: "1", 1023: "1023", 1024: "1K", 512 << 10: "512K", 1 << 20: "1M", 5 << 20: "5M",
		1<<20 + 1: "1048577", 1 << 30: "1G", 1536 << 20: "1536M",
	} {
		if got := taskset.QuotaText(bytes); got != want {
			t.Errorf("QuotaText(%d) = %q, want %q", bytes, got, want)
		}
	}
}

func TestJobs(t *testing.T) {
	cases := map[string]struct {
		task    taskset.Task
		perTask uint32
		want    uint32
	}{
		"a task without a period runs once":          {taskset.Task{NumberOfJobs: 5}, 3, 1},
		"a periodic task runs as often as is wanted": {taskset.Task{Period: 10, NumberOfJobs: 5}, 3, 3},
		"but not more often than its number of jobs": {taskset.Task{Period: 10, NumberOfJobs: 2}, 3, 2},
		"without a number of jobs there is no limit": {taskset.Task{Period: 10}, 3, 3},
		"nothing wanted means one":                   {taskset.Task{Period: 10}, 0, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.task.Jobs(tc.perTask); got != tc.want {
				t.Errorf("Jobs(%d) = %d, want %d", tc.perTask, got, tc.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	with := func(change func(*taskset.Task)) []taskset.Task {
		task := hey()
		change(&task)
		return []taskset.Task{task}
	}
	runs1802 := func(t *taskset.Task) { t.Period, t.Caps = 20, 100 }
	cases := map[string]struct {
		tasks      []taskset.Task
		generation string
		wantErr    []string // all of them in the error; none: no error
	}{
		"a plain task runs on 2017":  {with(func(*taskset.Task) {}), "2017", nil},
		"a plain task runs on 1608a": {with(func(*taskset.Task) {}), "1608a", nil},
		"a plain task runs on 1608b": {with(func(*taskset.Task) {}), "1608b", nil},
		"1802 needs a period and capabilities": {with(func(*taskset.Task) {}), "1802",
			[]string{"tasks[0] (hello).periodMilliseconds: 0", "tasks[0] (hello).caps: 0"}},
		"a task with both runs on 1802": {with(runs1802), "1802", nil},
		"an unknown generation":         {with(func(*taskset.Task) {}), "1903", []string{`"1903"`, "use Auto"}},
		"no task at all":                {nil, "Auto", []string{"add a task"}},
		"too many tasks":                {make([]taskset.Task, 10_001), "Auto", []string{"there are 10001", "at most 10000"}},
		"an id of three digits":         {with(func(t *taskset.Task) { t.ID = 100 }), "Auto", nil},
		"an id of four digits":          {with(func(t *taskset.Task) { t.ID = 9999 }), "Auto", nil},
		"an id of five digits":          {with(func(t *taskset.Task) { t.ID = 10_000 }), "Auto", []string{"id: 10000", "0 to 9999"}},
		"a negative id":                 {with(func(t *taskset.Task) { t.ID = -1 }), "Auto", []string{"id: -1"}},
		"the last EDF task":             {with(func(t *taskset.Task) { t.ID, t.Deadline = 999, 10 }), "1608b", nil},
		"an EDF task with another's name": {with(func(t *taskset.Task) { t.ID, t.Deadline = 1000, 10 }), "Auto",
			[]string{"deadlineMilliseconds: 10", "id 1000", "remove the deadline"}},
		"a name that overflows 24 bytes": {with(func(t *taskset.Task) { t.Pkg = strings.Repeat("x", 21) }), "1608a", []string{"1 to 15"}},
		"a pkg of 32 bytes":              {with(func(t *taskset.Task) { t.Pkg = strings.Repeat("x", 32) }), "1608a", []string{"1 to 15"}},
		"an id that is there twice":      {[]taskset.Task{hey(), hey()}, "Auto", []string{"tasks[1] (hello).id: 0"}},
		"no pkg":                         {with(func(t *taskset.Task) { t.Pkg = "" }), "Auto", []string{`pkg: ""`, "1 to 15"}},
		"a pkg of 16 characters":         {with(func(t *taskset.Task) { t.Pkg = "abcdefghijklmnop" }), "Auto", []string{"abcdefghijklmnop", "rename"}},
		"a pkg of 15 characters":         {with(func(t *taskset.Task) { t.Pkg = "abcdefghijklmno" }), "Auto", nil},
		"no quota":                       {with(func(t *taskset.Task) { t.Quota = 0 }), "Auto", []string{"quota: 0", "1Mi"}},
		"a quota of 4Gi":                 {with(func(t *taskset.Task) { t.Quota = 1 << 32 }), "Auto", []string{"quota: 4294967296"}},
		"a period beyond the timers":     {with(func(t *taskset.Task) { t.Period = 2147001 }), "1608a", []string{"periodMilliseconds: 2147001", "2147000"}},
		"the longest period":             {with(func(t *taskset.Task) { t.Period = 2147000 }), "1608a", nil},
		"a critical time beyond":         {with(func(t *taskset.Task) { t.CriticalTime = 2147001 }), "1608b", []string{"criticalTimeMilliseconds: 2147001"}},
		"a deadline beyond":              {with(func(t *taskset.Task) { t.Deadline = 2147001 }), "1608b", []string{"deadlineMilliseconds"}},
		"an offset beyond":               {with(func(t *taskset.Task) { t.Offset = 2147001 }), "1608b", []string{"offsetMilliseconds"}},
		"priority 128 on 1608b":          {with(func(t *taskset.Task) { t.Priority = 128 }), "1608b", []string{"priority: 128", "0 to 127"}},
		"priority 128 on 1802":           {with(func(t *taskset.Task) { runs1802(t); t.Priority = 128 }), "1802", []string{"priority: 128"}},
		"priority 128 on 1608a":          {with(func(t *taskset.Task) { t.Priority = 128 }), "1608a", nil},
		"no number of jobs on 1608b":     {with(func(t *taskset.Task) { t.NumberOfJobs = 0 }), "1608b", []string{"numberOfJobs: 0", "at least 1"}},
		"no number of jobs on 1608a":     {with(func(t *taskset.Task) { t.NumberOfJobs = 0 }), "1608a", nil},
		"two periodic jobs on 2017":      {with(func(t *taskset.Task) { t.NumberOfJobs, t.Period = 2, 10 }), "2017", []string{"numberOfJobs: 2", "use 1"}},
		"capabilities on 1608b":          {with(func(t *taskset.Task) { t.Caps = 1 }), "1608b", []string{"caps: 1", "1802"}},
		"cores on 1608a":                 {with(func(t *taskset.Task) { t.Cores = 1 }), "1608a", []string{"cores: 1"}},
		"a core offset on 2017":          {with(func(t *taskset.Task) { t.CoreOffset = 1 }), "2017", []string{"coreOffset: 1"}},
		"capabilities on who knows":      {with(func(t *taskset.Task) { t.Caps = 1 }), "Auto", nil},
		"a config name with a space": {with(func(t *taskset.Task) { t.Config = taskset.Config{{Name: "a b"}} }), "Auto",
			[]string{`"a b"`, "not an XML name"}},
		"a config value with a NUL": {with(func(t *taskset.Task) { t.Config = taskset.Config{{Name: "a", Text: "\x00"}} }), "Auto",
			[]string{"config.a", "control characters"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := taskset.Check(tc.tasks, tc.generation)
			if (err != nil) != (tc.wantErr != nil) {
				t.Fatalf("Check: %v, want an error: %v", err, tc.wantErr != nil)
			}
			for _, want := range tc.wantErr {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestCheckListsTenProblemsAtMost(t *testing.T) {
	err := taskset.Check(make([]taskset.Task, 50), taskset.G1608b)
	if got := strings.Count(err.Error(), "\n") + 1; got != 10 {
		t.Errorf("%d problems listed, want 10", got)
	}
}

func TestCheckAdmission(t *testing.T) {
	admission := &taskset.Admission{Goal: taskset.GoalFairness}
	for name, tc := range map[string]struct {
		tasks     int
		admission *taskset.Admission
		want      string
	}{
		"nobody asked":               {10_000, nil, ""},
		"as many names as tasks":     {1000, admission, ""},
		"two tasks of the same name": {1001, admission, "there are 1001 tasks"},
	} {
		t.Run(name, func(t *testing.T) {
			err := taskset.CheckAdmission(make([]taskset.Task, tc.tasks), tc.admission)
			if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

func TestConfigFromJSON(t *testing.T) {
	cases := map[string]struct {
		json    string
		want    taskset.Config
		wantErr string
	}{
		"nothing":             {json: ""},
		"null":                {json: "null"},
		"an empty object":     {json: "{}"},
		"the order is kept":   {json: `{"b":1,"a":2}`, want: taskset.Config{{Name: "b", Text: "1"}, {Name: "a", Text: "2"}}},
		"numbers as they are": {json: `{"a":1.50,"b":18446744073709551616}`, want: taskset.Config{{Name: "a", Text: "1.50"}, {Name: "b", Text: "18446744073709551616"}}},
		"booleans and null":   {json: `{"a":true,"b":null}`, want: taskset.Config{{Name: "a", Text: "true"}, {Name: "b"}}},
		"objects nest":        {json: `{"a":{"b":{"c":"x"}}}`, want: taskset.Config{{Name: "a", Children: taskset.Config{{Name: "b", Children: taskset.Config{{Name: "c", Text: "x"}}}}}}},
		"arrays repeat":       {json: `{"a":[1,{"b":2}],"c":[]}`, want: taskset.Config{{Name: "a", Text: "1"}, {Name: "a", Children: taskset.Config{{Name: "b", Text: "2"}}}}},
		"a scalar":            {json: `5`, wantErr: "must be an object"},
		"a list":              {json: `[]`, wantErr: "must be an object"},
		"an array in one":     {json: `{"a":[[1]]}`, wantErr: "config.a[0]: an array in an array"},
		"a key with a space":  {json: `{"x":{"a b":1}}`, wantErr: `config.x: key "a b"`},
		"a key twice":         {json: `{"a":1,"a":2}`, wantErr: "there twice"},
		"half an object":      {json: `{"a":`, wantErr: "not valid JSON"},
		"a missing comma":     {json: `{"a":1 "b":2}`, wantErr: "not valid JSON"},
		"two values":          {json: `{} {}`, wantErr: "something follows"},
		"a control character": {json: `{"a":"\u0001"}`, wantErr: "control characters"},
		"too deep":            {json: strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), wantErr: "nested deeper"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := taskset.ConfigFromJSON([]byte(tc.json))
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("error %v, want one that says %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzConfigFromJSON: whatever is accepted passes Check and makes well-formed XML.
func FuzzConfigFromJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"arg1":5}`, `{"a":[1,{"b":"<&>"}]}`, `[1]`, `{"a":{"a":{"a":[]}}}`, `{"é":1}`, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		config, err := taskset.ConfigFromJSON(raw)
		if err != nil {
			return
		}
		task := hey()
		task.Config = config
		if err := taskset.Check([]taskset.Task{task}, taskset.Auto); err != nil {
			t.Fatalf("accepted config %s fails the check: %v", raw, err)
		}
		d := xml.NewDecoder(strings.NewReader(string(taskset.Description([]taskset.Task{task}))))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatalf("config %s makes XML that is not well-formed: %v", raw, err)
			}
		}
	})
}
