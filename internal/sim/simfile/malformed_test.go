package simfile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/sim"
	"github.com/genode-operator/genode-operator/internal/sim/simfile"
)

// Documents in which every field is set.
const (
	wholeSystem = `{"name":"s","duration":"1s","window":{"from":"1ms","to":"1s"},"tick":"1us","seed":1,"scheduler":{"name":"EDF","options":{"quantum":"1ms"}},
		"cpus":[{"name":"c","speed":"1/2","save":"1us","load":"1us"}],
		"overheads":{"decide":"1us","activate":"1us","end":"1us","timer":"10ns","preempt":"1us","migration":"1us"},
		"tasks":[{"id":1,"name":"a","kind":"Periodic","offset":"1ms","period":"10ms","jitter":"1ms","deadline":"9ms","wcet":"2ms",
			"execution":{"normal":{"mean":"1ms","deviation":"1ms"}},"priority":1,"jobs":3,"follower":"c","onMiss":"Abort",
			"criticalTime":"20ms","server":{"budget":"1ms","period":"2ms","deadline":"2ms"},"cpu":1,
			"sections":[{"resource":0,"from":"1ms","to":"2ms"}]},
			{"id":2,"name":"b","kind":"Sporadic","arrivals":["1ms",2],"wcet":1,"execution":{"uniform":{"least":1,"most":2}}},
			{"id":4,"kind":"Sporadic","slack":1,"period":5,"offset":3,"wcet":1},
			{"id":3,"name":"c","kind":"Aperiodic","after":["b"],"wcet":1,"execution":{"observed":["1ms",2.5]}}]}`
	wholeCase = `{"id":"x","input":{"duration_ms":40,"duration":5,"cycles_per_ms":1000000,"etm":"acet",
		"penalty_preemption":1,"penalty_migration":1,"migration_overhead":7,"abort_on_miss":true,"seed":1,
		"tasks":[{"name":"T1","identifier":1,"task_type":"Periodic","period":5,"wcet":2.5,"deadline":5,"activation_date":1,
			"acet":1.5,"et_stddev":1,"abort_on_miss":true,"followed_by":3,
			"data":{"priority":2,"cpu":1,"cbs_period":5,"cbs_deadline":5,"cbs_maximum_runtime":1}},
			{"identifier":2,"task_type":"Sporadic","list_activation_dates":[1,12.5]},
			{"identifier":3,"task_type":"APeriodic"}],
		"cpus":[{"name":"CPU 1","identifier":1,"cs_overhead":1,"cl_overhead":1,"migration_overhead":7,"speed":0.5}],
		"scheduler":{"name":"EDF","overhead":1,"overhead_activate":1,"overhead_terminate":1,"data":{"K":2,"quantum":1}}}}`
)

// related are fields that refer to another one, and are named in its place.
var related = map[string]string{
	"tick": "overheads.timer", "duration": "window.", "window.from": "window.", "tasks[0].period": "tasks[0].jitter", "tasks[1].execution.uniform.most": "tasks[1].execution.uniform.least",
	"tasks[0].wcet": "tasks[0].sections", "tasks[1].name": "tasks[3].after", "tasks[3].name": "tasks[0].follower", "input.tasks[2].identifier": "input.tasks[0].followed_by",
	"input.cpus[0].identifier": "input.tasks[0].data.cpu",
}

// TestF47EveryMalformedFieldIsNamed puts other things in place of each value of a document.
func TestF47EveryMalformedFieldIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		document string
		parse    func([]byte) (*simfile.File, error)
		root     string // of paths in the document that errors leave out
	}{
		"System": {wholeSystem, simfile.Parse, ""},
		"case":   {wholeCase, simfile.ParseCase, "input."},
		"SimSo":  {wholeCase, simfile.ParseSimSo, "input."},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.parse([]byte(c.document)); err != nil {
				t.Fatal(err)
			}
			var document any
			if err := json.Unmarshal([]byte(c.document), &document); err != nil {
				t.Fatal(err)
			}
			fields := 0
			eachLeaf("", document, func(path string, set func(any)) {
				fields++
				for _, other := range []any{map[string]any{"?": 1}, -1, 0.3, 1e300, json.RawMessage("1e99999999"), "", "?", "\x01", true, []any{}, []any{nil}} {
					set(other)
					text, err := json.Marshal(document)
					if err != nil {
						t.Fatal(err)
					}
					_, err = c.parse(text)
					_, object := other.(map[string]any)
					switch {
					case err == nil && object:
						t.Errorf("%s: an object is accepted", path)
					case err != nil && (!errors.Is(err, sim.ErrInvalid) || !names(err, strings.TrimPrefix(path, c.root)) && !names(err, related[path])):
						t.Errorf("%s = %v: %v", path, other, err)
					}
				}
			})
			if fields < 30 {
				t.Errorf("%d fields", fields)
			}
		})
	}
}

func names(err error, path string) bool { return path != "" && strings.Contains(err.Error(), path) }

// TestF47MistakesAreExplained has the mistakes that people make.
func TestF47MistakesAreExplained(t *testing.T) {
	const task = `{name: a, period: 10, wcet: 1`
	for document, want := range map[string]string{
		``:                                  `must be an object`,
		`{`:                                 `line`,
		`tasks: []`:                         `tasks: a list: add a task`,
		`tasks: {a: 1}`:                     `tasks: an object: must be a list`,
		`[{name: a, period: 10}]`:           `tasks[0].wcet: missing: say how long`,
		`[{name: a, periode: 10, wcet: 1}]`: `tasks[0].periode: 10: no such field here; use one of id, name`,
		`[` + task + `, deadline: 5 min}]`:  `tasks[0].deadline: "5 min": use a number with ns, us, ms or s`,
		`[` + task + `}, ` + task + `}]`:    `tasks[1].name: "a": tasks[0] has it, too`,
		`[` + task + `, id: 2}, {wcet: 1}]`: `tasks[1].id: missing: tasks[0] has the id 2, too`,
		`[` + task + `, onMiss: Stop}]`:     `tasks[0].onMiss: "Stop": use one of Continue, Abort, SkipNext`,
		`[` + task + `, arrivals: [1]}]`:    `tasks[0].arrivals: a list: only sporadic tasks have them`,
		`[` + task + `, follower: a}]`:      `tasks[0].follower: 0: leads into a circle`,
		`[` + task + `, execution: {}}]`:    `tasks[0].execution: an object: give one of normal, uniform and observed`,
		`[{kind: Sporadic, arrivals: [2, 1], wcet: 1}]`: `tasks[0].arrivals[1]: 1: earlier than the one before it`,
		`[{kind: Sporadic, jitter: 1, wcet: 1}]`:        `tasks[0].jitter: 1: only periodic tasks have it`,
		`[{wcet: 1, cpu: 2}]`:                           `tasks[0].cpu: 2: use a whole number from 1 to 1`,
		`{cpus: [{speed: 0}], tasks: [{wcet: 1}]}`:      `cpus[0].speed: 0: use a number above 0`,
		`{cpus: [], tasks: [{wcet: 1}]}`:                `cpus: a list: add a processor`,
		`{duration: 14000000s, tasks: [{wcet: 1}]}`:     `duration: "14000000s": out of range`,
		"tasks: [{wcet: 1, wcet: 2}]":                   `wcet`,
		`{"tasks": [{"wcet": 1, "wcet": 2}]}`:           `tasks[0].wcet: 2: is there twice`,
	} {
		if _, err := simfile.Parse([]byte(document)); err == nil || !errors.Is(err, sim.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", document, err, want)
		}
	}
}

// TestF8AndF9MistakesOfCasesAreExplained has what SimSo ignores, or stumbles over.
func TestF8AndF9MistakesOfCasesAreExplained(t *testing.T) {
	for input, want := range map[string]string{
		`{"task_type": "Sporadic", "list_activation_dates": [5, 3]}`: `tasks[0].list_activation_dates[1]: 3: earlier`,
		`{"followed_by": 7}`: `tasks[0].followed_by: 7: there is no task of this identifier`,
		`{"followed_by": 1}`: `tasks[0].follower: 0: leads into a circle`,
		`{"deadline": 0}`:    `tasks[0].deadline: 0: use a deadline above 0`,
		`{"jitter": 1}`:      `tasks[0].jitter: 1: no such field here`,
	} {
		document := `{"duration_ms": 9, "cpus": 1, "scheduler": "EDF", "tasks": [` + strings.Replace(input, "{", `{"identifier": 1, `, 1) + `]}`
		if _, err := simfile.ParseCase([]byte(document)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", document, err, want)
		}
	}
	_, err := simfile.ParseCase([]byte(`{"etm": "cache", "cpus": 1, "scheduler": "EDF", "tasks": [{"identifier": 1}]}`))
	if err == nil || !strings.Contains(err.Error(), "etm: \"cache\": caches are not simulated") {
		t.Error(err)
	}
}

// TestF48MistakesOfXMLAreExplained by the names of attributes in the file.
func TestF48MistakesOfXMLAreExplained(t *testing.T) {
	for from, c := range map[string][2]string{
		`WCET="3"`:                     {`WCET="-3"`, `tasks[1].WCET: -3: out of range`},
		`activationDate="0.5"`:         {`activationDate="soon"`, `tasks[0].activationDate: "soon": must be a number`},
		`abort_on_miss="yes"`:          {`abort_on_miss="maybe"`, `tasks[0].abort_on_miss: "maybe": must be true or false`},
		`<task name="TASK T2" id="2"`:  {`<task name="TASK T2"`, `tasks[1].id: missing: give each task a number`},
		`followed_by="3"`:              {`followed_by="9"`, `tasks[1].followed_by: 9: there is no task`},
		`speed="0.5"`:                  {`speed="fast"`, `cpus[1].speed: "fast"`},
		`cpu="2"`:                      {`cpu="3"`, `tasks[0].data.cpu: 3: there is no processor`},
		`etm="fixedpenalty"`:           {`etm="cache"`, `etm: "cache": caches are not simulated`},
		`class="simso.schedulers.EKG"`: {``, `scheduler.class: missing: name the scheduler`},
		`"1.0, 2.5, 30"`:               {`"1.0, 30, 2.5"`, `tasks[1].list_activation_dates[2]: 2.5: earlier`},
		`<caches`:                      {`<cash/><caches`, `simulation.cash: missing: no such element here`},
		`period="7"`:                   {`period="7" period="8"`, `tasks[0].period: "8": is there twice`},
		`</simulation>`:                {``, `unexpected EOF`},
	} {
		document := strings.Replace(saved, from, c[0], 1)
		if _, err := simfile.ParseXML([]byte(document)); err == nil || !strings.Contains(err.Error(), c[1]) || !errors.Is(err, sim.ErrInvalid) {
			t.Errorf("%s: %v, want %s", c[0], err, c[1])
		}
	}
	if _, err := simfile.ParseXML([]byte("<tasks/>")); err == nil || !strings.Contains(err.Error(), "must be a <simulation>") {
		t.Error(err)
	}
}

// eachLeaf calls visit with the path of each value that is no object or list, and with a way to replace it.
func eachLeaf(path string, value any, visit func(path string, set func(any))) {
	descend := func(path string, child any, set func(any)) {
		switch child.(type) {
		case map[string]any, []any:
			eachLeaf(path, child, visit)
		default:
			visit(path, set)
			set(child)
		}
	}
	switch v := value.(type) {
	case map[string]any:
		for name, child := range v {
			at := name
			if path != "" {
				at = path + "." + name
			}
			descend(at, child, func(other any) { v[name] = other })
		}
	case []any:
		for i, child := range v {
			descend(fmt.Sprintf("%s[%d]", path, i), child, func(other any) { v[i] = other })
		}
	}
}
