package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

// fenced are the blocks of a page in a language.
func fenced(text, language string) (blocks []string) {
	for _, part := range strings.Split(text, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		blocks = append(blocks, block+"\n")
	}
	return blocks
}

// numbers change from one run to the next: times, digests, addresses. Gaps are as wide as they have to be.
var numbers = regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]*|\s+`)

func plain(line string) string {
	return strings.TrimSpace(numbers.ReplaceAllStringFunc(line, func(s string) string {
		if strings.TrimSpace(s) == "" {
			return " "
		}
		return "N"
	}))
}

// shell runs a line as the user does who has genodectl installed, in a folder.
func (l *lab) shell(folder, line string) string {
	l.Helper()
	cmd := exec.CommandContext(l.Context(), "sh", "-c", line)
	cmd.Dir = folder
	cmd.Env = append(l.command(l.Context(), "genodectl").Env, "PATH="+programs+string(filepath.ListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.Errorf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// TestThePageShowsWhatHappens runs the commands of docs/genodectl.md, one after the other, and looks for what the
// page shows of their output. Progress has no fixed lines.
func TestThePageShowsWhatHappens(t *testing.T) {
	l := newLab(t, 2, faketarget.Options{Job: faketarget.Takes(10)})
	text := page(t, "genodectl.md")
	l.write("sweep.yaml", fenced(text, "text")[0])
	var out []string
	ran := 0
	for line := range strings.Lines(strings.Join(fenced(text, "console"), "")) {
		line = strings.TrimSpace(line)
		if command, is := strings.CutPrefix(line, "$ "); is {
			// The port is not that of the page: somebody else may have it on this machine.
			command = strings.Replace(command, "genodectl run ", "genodectl run -p "+l.port+" ", 1)
			out = strings.Split(plainLines(l.shell(l.home, command)), "\n")
			ran++
			continue
		}
		if line != "" && !strings.HasPrefix(line, "[") && !slices.Contains(out, plain(line)) {
			t.Errorf("the page shows\n%s\nbut there is\n%s", plain(line), strings.Join(out, "\n"))
		}
	}
	if ran < 10 {
		t.Errorf("%d commands found: are the blocks still read rightly?", ran)
	}
}

func plainLines(text string) string {
	var all []string
	for line := range strings.Lines(text) {
		all = append(all, plain(line))
	}
	return strings.Join(all, "\n")
}

// TestTryIt runs the last block of docs/coming-from-taskgen.md as it is printed, from the folder of the repository.
func TestTryIt(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	_, text, found := strings.Cut(page(t, "coming-from-taskgen.md"), "\n## Try it\n")
	if !found {
		t.Fatal("there is nothing to try")
	}
	ran := 0
	for line := range strings.Lines(strings.Join(fenced(text, "sh"), "")) {
		ran++
		if out := l.shell(root, strings.TrimSpace(line)); out == "" {
			t.Errorf("%s prints nothing", line)
		}
	}
	if ran < 3 {
		t.Errorf("%d lines found: is the block still read rightly?", ran)
	}
}
