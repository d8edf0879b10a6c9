package localnode

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPathsInValues(t *testing.T) {
	image := t.TempDir()
	for _, name := range []string{"agent", "opt/guest/kernel"} {
		file := filepath.Join(image, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := newPaths(image, []mount{
		{path: "/work", host: "/host/work"},
		{path: "/work/deep", host: "/host/deep"},
		{path: "/dev/termination-log", host: "/host/log"},
	})
	tests := map[string]struct{ value, want string }{
		"a mount":                                   {"/work", "/host/work"},
		"a file in a mount":                         {"/work/a/b", "/host/work/a/b"},
		"the deeper mount goes first":               {"/work/deep/x", "/host/deep/x"},
		"a name that only begins like a mount":      {"/workshop", "/workshop"},
		"the path of a flag":                        {"--work-dir=/work", "--work-dir=/host/work"},
		"pieces of a QEMU option":                   {"file=/work/disk,format=raw,backing=/opt/guest/kernel", "file=/host/work/disk,format=raw,backing=" + image + "/opt/guest/kernel"},
		"a flag with pieces":                        {"--drive=file=/work/disk,if=none", "--drive=file=/host/work/disk,if=none"},
		"a file of the image":                       {"/agent", image + "/agent"},
		"a path that is neither":                    {"/proc/self", "/proc/self"},
		"a path that climbs out of a mount":         {"/work/../etc/passwd", "/work/../etc/passwd"},
		"a URL is no path":                          {"--url=http://host/work", "--url=http://host/work"},
		"a relative path":                           {"work/a", "work/a"},
		"the root":                                  {"/", "/"},
		"the termination message":                   {"--termination-log=/dev/termination-log", "--termination-log=/host/log"},
		"a key whose value contains a path further": {"append=root=/work", "append=root=/host/work"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := p.value(tc.value); got != tc.want {
				t.Errorf("%q became %q, want %q", tc.value, got, tc.want)
			}
		})
	}
	if got, want := p.command("agent"), filepath.Join(image, "agent"); got != want {
		t.Errorf("command agent is %s, want %s", got, want)
	}
	if got := p.command("sh"); got != "sh" {
		t.Errorf("command sh is %s, which the image does not have", got)
	}
}

func TestExpand(t *testing.T) {
	values := map[string]string{"A": "x", "EMPTY": ""}
	tests := map[string]struct{ in, want string }{
		"a known name":        {"--listen=$(A):80", "--listen=x:80"},
		"an empty value":      {"<$(EMPTY)>", "<>"},
		"an unknown name":     {"$(B)", "$(B)"},
		"an escaped one":      {"$$(A)", "$(A)"},
		"an unfinished one":   {"$(A", "$(A"},
		"a lone dollar":       {"5$ $A", "5$ $A"},
		"two side by side":    {"$(A)$(A)", "xx"},
		"a dollar at the end": {"a$", "a$"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := expand(tc.in, values); got != tc.want {
				t.Errorf("%q became %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}
