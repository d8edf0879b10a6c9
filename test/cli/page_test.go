package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/genode-operator/genode-operator/internal/faketarget"
)

const root = "../.."

// page reads a page of docs/.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// row is a row of a table on genodectl's page: the words in backquotes of its first cells, and all of it.
type row struct {
	names, of []string
	text      string
}

var quoted = regexp.MustCompile("`([^`]+)`")

func rowsOf(text string) (rows []row) {
	words := func(cell string) (all []string) {
		for _, match := range quoted.FindAllStringSubmatch(cell, -1) {
			all = append(all, match[1])
		}
		return all
	}
	for line := range strings.Lines(text) {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			rows = append(rows, row{words(cells[1]), words(cells[2]), line})
		}
	}
	return rows
}

// section is what follows a heading, up to the next one.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/genodectl.md has no section %s", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	return rest
}

var (
	inHelp     = regexp.MustCompile(`(?m)^  ([a-z]+) +\S`)
	flagInHelp = regexp.MustCompile(`(?m)^  (?:(-\w), |    )(--[a-z-]+)`)
)

// commands finds the program's commands and their flags, in what --help says.
func (l *lab) commands(path ...string) map[string][]string {
	l.Helper()
	help := l.genodectl(append(slices.Clone(path), "--help")...)
	if help.code != 0 {
		l.Fatalf("%v --help: code %d", path, help.code)
	}
	_, flags, _ := strings.Cut(help.out, "\nFlags:\n")
	all := map[string][]string{}
	if _, list, found := strings.Cut(help.out, "\nAvailable Commands:\n"); found {
		list, _, _ = strings.Cut(list, "\n\n")
		for _, match := range inHelp.FindAllStringSubmatch(list, -1) {
			if len(path) == 0 && (match[1] == "help" || match[1] == "completion") {
				continue // made by the library, and the same for all programs
			}
			for command, flags := range l.commands(append(slices.Clone(path), match[1])...) {
				all[command] = flags
			}
		}
		return all
	}
	names := []string{}
	for _, match := range flagInHelp.FindAllStringSubmatch(flags, -1) {
		if match[2] != "--help" {
			names = append(names, match[2])
		}
		if match[1] != "" && match[1] != "-h" {
			names = append(names, match[1])
		}
	}
	return map[string][]string{strings.Join(path, " "): names}
}

// TestThePageHasEveryCommandAndFlag compares docs/genodectl.md with --help, in both directions. A command whose
// row links to a page of its own has its flags there.
func TestThePageHasEveryCommandAndFlag(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	text := page(t, "genodectl.md")
	commands, flags := rowsOf(section(t, text, "Commands")), rowsOf(section(t, text, "Flags"))
	known := l.commands()
	if len(known) < 9 || len(known["run"]) < 20 {
		t.Fatalf("is --help still read rightly? It has %v", known)
	}
	for command, has := range known {
		i := slices.IndexFunc(commands, func(r row) bool { return slices.Contains(r.names, command) })
		if i < 0 {
			t.Errorf("docs/genodectl.md has no row for the command %s", command)
			continue
		}
		if own := regexp.MustCompile(`Flags: \[[^\]]*\]\(([a-z-]+\.md)`).FindStringSubmatch(commands[i].text); own != nil {
			for _, flag := range has {
				if !strings.Contains(page(t, own[1]), "`"+flag) {
					t.Errorf("docs/%s does not tell of %s %s", own[1], command, flag)
				}
			}
			continue
		}
		for _, flag := range has {
			if !slices.ContainsFunc(flags, func(r row) bool { return slices.Contains(r.names, flag) && slices.Contains(r.of, command) }) {
				t.Errorf("docs/genodectl.md has no row for %s of %s", flag, command)
			}
		}
	}
	for _, r := range flags {
		for _, command := range r.of {
			for _, flag := range r.names {
				if strings.HasPrefix(flag, "-") && !slices.Contains(known[command], flag) {
					t.Errorf("docs/genodectl.md says that %s has %s, but it has not", command, flag)
				}
			}
		}
	}
}
