package cli

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

func TestSillyCommandsGetAnAnswer(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.write("typo.yaml", `{tasks: [{name: a, pkg: hey, prio: 3}]}`)
	l.write("two.yaml", "kind: TaskSet\nspec: {}\n---\nkind: TaskSet\nspec: {}\n")
	l.write("none.yaml", "kind: TargetPool\nspec: {}\n")
	l.write("empty.yaml", "{}")
	for line, want := range map[string]string{
		"run":                                          "Name a task-set with -t",
		"run -t example.Hey99 127.0.0.1":               "did you mean example.Hey9",
		"run -t example.Hey6":                          "where are the targets?",
		"run -t example.Hey6 127.0.0.1/24":             "127.0.0.0/24",
		"run -t example.Hey6 bananas":                  `"bananas"`,
		"run -t example.Hey6 ::/0":                     "too many",
		"run -t example.Hey6 -s a.B 127.0.0.1":         `session class "a.B" is not known`,
		"run -t example.Hey6 -o xml 127.0.0.1":         `format "xml"`,
		"run -t example.Hey6 -m a 127.0.0.1":           `sink "a" is unknown`,
		"run -t example.Hey6 --generation 3 127.0.0.1": `--generation "3"`,
		"run -t test.Problem3 127.0.0.1":               "cond_42",
		"run -t example.Hey6 --timeout 0 127.0.0.1":    "timeout",
		"run -f gone.yaml 127.0.0.1":                   "gone.yaml",
		"run -f typo.yaml 127.0.0.1":                   `"prio"`,
		"run -f two.yaml 127.0.0.1":                    "several task-sets",
		"run -f none.yaml 127.0.0.1":                   "no TaskSet in it",
		"run -f empty.yaml 127.0.0.1":                  "spec.tasks",
		"run -t a -f b 127.0.0.1":                      "give one of them",
		"list":                                         "say what",
		"list -t -s":                                   "none of the others",
		"results nothing":                              "the store is empty",
		"results nothing --where 1+":                   "--where",
		"describe variant x -t example.Hey6":           "is no number",
		"describe variant 127 -t example.Hey6":         "use 0 to 126",
		"stop nothing":                                 "does not run here",
		"resume nothing":                               "the store is empty",
		"sessions":                                     "--manager",
		"sessions --manager http://127.0.0.1:1":        "ask the manager",
		"run -t example.Hey0 --cluster":                "KUBECONFIG",
		"frobnicate":                                   "unknown command",
	} {
		t.Run(line, func(t *testing.T) { l.genodectl(strings.Fields(line)...).want(t, 2, want) })
	}
}

func TestListsAndDescriptions(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.genodectl("list", "-t").want(t, 0, "example.Hey6 ", "127 variants", "nextgen.pi.Variants1m")
	l.genodectl("list", "-b").want(t, 0, "pi.Value")
	l.genodectl("list", "-m").want(t, 0, "stdout.StdOutMonitor", "mongo.MongoMonitor")
	l.genodectl("list", "-s").want(t, 0, "genode.PingSession", "Stdio", "simso.SimSoSession")
	l.genodectl("describe", "variant", "16", "-t", "example.Hey6").want(t, 0, "priority = 17", "<priority>17</priority>")
	l.genodectl("version").want(t, 0, "genodectl")
	l.genodectl("run", "--help").want(t, 0, "Examples:", "kubectl genode run")
}

func TestCompletion(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.genodectl("__complete", "run", "-t", "example.He").want(t, 0, "example.Hey6\t")
	l.genodectl("__complete", "run", "--class", "").want(t, 0, "Genode\t")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		l.genodectl("completion", shell).want(t, 0, "genodectl")
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	script := l.genodectl("completion", "bash").out
	check := exec.Command(bash, "-n")
	check.Stdin = strings.NewReader(script)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("bash cannot read the completion: %v\n%s", err, out)
	}
}
