package where_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/taskset"
	"github.com/genode-operator/genode-operator/internal/taskset/where"
)

// tasks are two of which the second one has a config.
func tasks() []taskset.Task {
	return []taskset.Task{
		{ID: 0, Name: "hello", Pkg: "hey", Quota: 1 << 20, Priority: 10, Period: 100, ExecutionTime: 25},
		{ID: 1, Name: "load-1", Pkg: "pi", Quota: 5 << 20, Priority: 50, Period: 40, ExecutionTime: 10, Deadline: 40,
			CriticalTime: 30, Offset: 2, NumberOfJobs: 3, Caps: 4, Cores: 5, CoreOffset: 6,
			Config: taskset.Config{
				{Name: "arg1", Text: "100000"}, {Name: "ratio", Text: "0.25"}, {Name: "mode", Text: "fast"}, {Name: "nothing"},
				{Name: "deep", Children: taskset.Config{{Name: "a", Text: "-1"}}},
				{Name: "item", Text: "7"}, {Name: "item", Text: "8"}, {Name: "item", Text: "x"},
			}},
		{ID: 2, Name: "once", Pkg: "idle", ExecutionTime: 5},
	}
}

func names(of []taskset.Task) []string {
	var out []string
	for _, t := range of {
		out = append(out, t.Name)
	}
	return out
}

func compile(t testing.TB, expressions ...string) *where.Constraint {
	t.Helper()
	c, err := where.Compile("spec.where", expressions, names(tasks()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestExpressionsSeeTheTasks(t *testing.T) {
	cases := map[string]bool{
		`true`:  true,
		`false`: false,
		`tasks.hello.priority < tasks["load-1"].priority`:                   true,
		`tasks.hello.priority > tasks["load-1"].priority`:                   false,
		`tasks.hello.priority == 10 && tasks.hello.periodMilliseconds > 99`: true,
		`tasks.hello.periodMilliseconds > 99.5`:                             true,
		`tasks.hello.pkg == "hey" && tasks.hello.name == "hello"`:           true,
		`tasks.hello.quota == 1024 * 1024 && tasks["load-1"].id == 1`:       true,
		`tasks["load-1"].config.arg1 >= 100000`:                             true,
		`tasks["load-1"].config.arg1 > 100000.5`:                            false,
		`tasks["load-1"].config.ratio < 1`:                                  true,
		`tasks["load-1"].config.mode == "fast"`:                             true,
		`tasks["load-1"].config.nothing == ""`:                              true,
		`tasks["load-1"].config.deep.a == -1`:                               true,
		`tasks["load-1"].config.item[1] == 8`:                               true,
		`tasks["load-1"].config.item.size() == 3`:                           true,
		`has(tasks["load-1"].config.arg2)`:                                  false,
		`"arg1" in tasks["load-1"].config`:                                  true,
		`"once" in tasks && !("twice" in tasks)`:                            true,
		`tasks.size() == 3`:                                                 true,
		`tasks.all(n, tasks[n].id < 3)`:                                     true,
		`tasks.exists(n, tasks[n].config.size() > 5)`:                       true,
		`tasks.filter(n, tasks[n].priority > 0) == ["hello", "load-1"]`:     true,
		`tasks["load-1"].criticalTimeMilliseconds == 30 && tasks["load-1"].executionTimeMilliseconds == 10 && tasks["load-1"].deadlineMilliseconds == 40`: true,
		`tasks["load-1"].offsetMilliseconds == 2 && tasks["load-1"].numberOfJobs == 3`:                                                                    true,
		`tasks["load-1"].caps == 4 && tasks["load-1"].cores == 5 && tasks["load-1"].coreOffset == 6`:                                                      true,
		`variant == 41 && variant % 2 == 1`:                       true,
		`utilization == 0.5`:                                      true,
		`math.greatest(tasks.hello.priority, 3) == 10`:            true,
		`tasks.hello == tasks.hello && tasks.hello != tasks.once`: true,
		`type(tasks.hello) == type(tasks.once)`:                   true,
	}
	for text, want := range cases {
		got, err := compile(t, text).Admits(41, tasks())
		if err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestEveryExpressionHasToBeTrue(t *testing.T) {
	for first, want := range map[string]bool{"variant < 2": true, "variant > 2": false} {
		if got, err := compile(t, first, "utilization < 1.0").Admits(1, tasks()); got != want || err != nil {
			t.Errorf("%s: %v, %v", first, got, err)
		}
	}
}

func TestWrongExpressionsAreRefusedWithTheirPlace(t *testing.T) {
	cases := map[string]string{
		`tasks.hello.priority`:                       `spec.where[0]: "tasks.hello.priority" is of type int; compare something`,
		`tasks.hello`:                                `is of type Task`,
		`tasks.hello.priority <`:                     `spec.where[0]: column 23: Syntax error`,
		`tasks.hello.prio < 1`:                       `spec.where[0]: column 12: undefined field 'prio'`,
		`tasks.hello.priority < "1"`:                 `column 22: found no matching overload for '_<_'`,
		`task.hello.priority < 1`:                    `column 1: undeclared reference to 'task'`,
		`tasks.load.priority < 1`:                    `column 6: no task is named "load"; use one of hello, load-1, once`,
		"true\n&& tasks[\"load\"].priority == 1":     `line 2, column 9: no task is named "load"`,
		`tasks.all(n, tasks[n].prio < 1)`:            `undefined field 'prio'`,
		"true &&\n  undefined":                       `line 2, column 3: undeclared reference to 'undefined'`,
		strings.Repeat("(", 150) + "1":               `recursion`,
		strings.Repeat("true&&", 400) + "true":       `size`,
		`tasks.hello.config.arg1.map(x, y, z, w, v)`: `column`,
	}
	for text, want := range cases {
		_, err := where.Compile("spec.where", []string{text}, names(tasks()))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v\nwant one that says\n%s", text, err, want)
		}
	}
}

func TestWhatCannotBeEvaluatedIsAnError(t *testing.T) {
	cases := map[string]string{
		`tasks.hello.config.arg1 == 1`:         "spec.where[0]: variant 7: no such key: arg1; ask has(...) first",
		`tasks["load-1"].config.item[3] == 1`:  "index out of bounds",
		`tasks["load-1"].config.mode < 3`:      "no such overload",
		`1 / (tasks.hello.priority - 10) == 1`: "division by zero",
		`tasks[tasks.hello.pkg].priority == 1`: "no such key: hey",
		`Task{} == tasks.hello`:                "unknown type",
		`[0,1,2,3,4,5,6,7,8,9].all(a, [0,1,2,3,4,5,6,7,8,9].all(b, [0,1,2,3,4,5,6,7,8,9].all(c, [0,1,2,3,4,5,6,7,8,9].all(d, [0,1,2,3,4,5,6,7,8,9].all(e, a+b+c+d+e < 99)))))`: "nest fewer loops",
	}
	for text, want := range cases {
		admitted, err := compile(t, text).Admits(7, tasks())
		if err == nil || admitted || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want an error that says %s", text, admitted, err, want)
		}
	}
}

// TestATaskThatIsNotThereInThisVariant is what a generator makes: more names than tasks.
func TestATaskThatIsNotThereInThisVariant(t *testing.T) {
	few := tasks()[:2]
	if got, err := compile(t, `"once" in tasks`).Admits(0, few); got || err != nil {
		t.Errorf("in: %v, %v", got, err)
	}
	if _, err := compile(t, `tasks.once.priority == 0`).Admits(0, few); err == nil || !strings.Contains(err.Error(), "no such key: once") {
		t.Errorf("error %v", err)
	}
	if got, err := compile(t, `!("once" in tasks) || tasks.once.priority == 0`).Admits(0, few); !got || err != nil {
		t.Errorf("guarded: %v, %v", got, err)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	c := compile(t, `tasks.all(n, tasks[n].id < 3) && variant < 100`)
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for n := range uint64(200) {
				if got, err := c.Admits(n, tasks()); err != nil || got != (n < 100) {
					t.Fatalf("%d: %v, %v", n, got, err)
				}
			}
		})
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{"true", "tasks.hello.priority < variant", `tasks["x"]`, "tasks.all(n, tasks[n].config.a > 1.5)", "utilization<", "[tasks][0].hello == 1", "dyn(tasks) == dyn(1)", "string(dyn(tasks))=='1'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := where.Compile("spec.where", []string{text}, names(tasks()))
		if err != nil {
			return
		}
		if _, err := c.Admits(3, tasks()); err != nil && !strings.HasPrefix(err.Error(), "spec.where[0]: variant 3: ") {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func BenchmarkAdmits(b *testing.B) {
	for name, text := range map[string]string{
		"simple":      `tasks.hello.priority < tasks["load-1"].priority`,
		"config":      `tasks["load-1"].config.arg1 > 1000`,
		"all":         `tasks.all(n, tasks[n].executionTimeMilliseconds <= tasks[n].periodMilliseconds || n == "once")`,
		"utilization": `utilization <= 0.69`,
	} {
		b.Run(name, func(b *testing.B) {
			c, of := compile(b, text), tasks()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Admits(3, of); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
