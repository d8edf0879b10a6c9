package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
)

// TestBadStoresAreRefused wants the flag, a remedy, and never the password in each error.
func TestBadStoresAreRefused(t *testing.T) {
	dir := t.TempDir()
	file := func(content string) string {
		path := filepath.Join(dir, "dsn")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tc := range map[string]struct {
		o    options
		want []string
	}{
		"a folder that is not there":  {options{results: dir + "/none/results.db"}, []string{"--results", dir + "/none"}},
		"a scheme":                    {options{results: "mysql://root:s3cret@db/results"}, []string{"--results", "postgres://"}},
		"a password in the arguments": {options{results: "postgres://me:s3cret@db/results"}, []string{"--results", "--results-dsn-file"}},
		"a password among options":    {options{results: "postgresql://me@db/results?password=s3cret"}, []string{"--results", "--results-dsn-file"}},
		"a password in no URL":        {options{results: "postgres://me:s3cret@db:port/results"}, []string{"--results", "--results-dsn-file"}},
		"nobody there":                {options{results: "postgres://me@127.0.0.1:1/results"}, []string{"--results", "127.0.0.1:1", "is the server there"}},
		"no file":                     {options{resultsDSNFile: dir + "/none"}, []string{"--results-dsn-file", dir + "/none", "no such file"}},
		"an empty file":               {options{resultsDSNFile: file("")}, []string{"--results-dsn-file", "is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, tc.want, func() error { _, err := openStore(t.Context(), tc.o); return err })
		})
	}
	path := file("postgres://me:s3cret@127.0.0.1:1/results")
	refused(t, []string{"--results-dsn-file", "me@127.0.0.1:1", "is the server there"}, func() error {
		_, err := openStore(t.Context(), options{resultsDSNFile: path})
		return err
	})
}

func TestBadSinksAreRefused(t *testing.T) {
	for name, want := range map[string]string{
		"xml:/tmp/a": "is unknown", "jsonl:/nowhere/a.jsonl": "/nowhere/a.jsonl", "mongo:@/nowhere": "/nowhere",
		"mongo:mongodb://me:s3cret@db/x": "mongo:@", "mongodb://me:s3cret@db/x": "mongo:@", "mongodb://me:s3cret%@db/x": "mongo:@",
	} {
		refused(t, []string{"--sink", want}, func() error { _, err := openSinks(t.Context(), []string{name}, logr.Discard()); return err })
	}
	fan, err := openSinks(t.Context(), []string{"mongo:mongodb://me@127.0.0.1:1/x"}, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := fan.Close(); err != nil {
		t.Error(err)
	}
}

func refused(t *testing.T, want []string, open func() error) {
	t.Helper()
	err := open()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %v does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v tells the password", err)
	}
}
