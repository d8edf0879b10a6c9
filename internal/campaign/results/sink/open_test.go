package sink

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
)

func TestSeveralSinksAreOpenedAtOnce(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	fan, err := OpenFan(t.Context(), []string{"text", "jsonl:" + dir + "/notices.jsonl", "csv:" + dir + "/jobs.csv"}, &out, logr.Discard(), clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notices() {
		fan.Observe(n)
	}
	if err := fan.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "276427 277087") {
		t.Errorf("text: %q", out.String())
	}
	for name, lines := range map[string]int{"notices.jsonl": 5, "jobs.csv": 3} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if got := strings.Count(string(text), "\n"); err != nil || got != lines {
			t.Errorf("%s has %d lines, want %d: %v\n%s", name, got, lines, err, text)
		}
	}
}

func TestSinksThatCannotBeOpenedTogether(t *testing.T) {
	twice := "jsonl:" + t.TempDir() + "/a"
	for want, texts := range map[string][]string{
		"named twice":  {twice, twice},
		"is unknown":   {"text", "xml:a"},
		"no such file": {"text", "csv:/nowhere/a.csv"},
		"/nowhere/url": {"mongo:@/nowhere/url"},
		"scheme":       {"mongo:http://me:s3cret@host/"},
	} {
		fan, err := OpenFan(t.Context(), texts, &bytes.Buffer{}, logr.Discard(), clock.RealClock{})
		if fan != nil || err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one that says %q and no password", texts, err, want)
		}
	}
}

func TestTheLogHasNoPasswords(t *testing.T) {
	for text, want := range map[string]string{
		"jsonl:/tmp/a.jsonl": "jsonl:/tmp/a.jsonl",
		"text":               "text",
		"mongo:@/etc/url":    "mongo:@/etc/url",
		"mongo:mongodb://me:s3cret@db:27017/x?tls=1": "mongo:mongodb://db:27017/x",
		"mongodb://me:s3cret@db:27017/x":             "mongodb://db:27017/x",
		"mongodb+srv://me:s3cret@db/x":               "mongodb+srv://db/x",
		"mongo:mongodb://me:s3cret%@db/x":            "mongo",
	} {
		if got := publicName(text); got != want {
			t.Errorf("%s is called %s, want %s", text, got, want)
		}
	}
}

func TestTheURLOfMongoDBMayBeInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(path, []byte("mongodb://me:s3cret@127.0.0.1:1/studies\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), "mongo:@"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.(*mongodb).collection.(*server).collection.Database().Name(); got != "studies" {
		t.Errorf("database %s", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"me:s3cret@db", "s3cret@db", "http://me:s3cret@db", "mongodb://me:s3cret@db/x?tls=perhaps", "mongodb://me:s3cret@db/x%"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), "mongo:@"+path, nil); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}
