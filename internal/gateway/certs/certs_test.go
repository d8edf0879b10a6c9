package certs

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// verify is what a client does that trusts the file in a folder.
func verify(t *testing.T, dir, name string, at time.Time) error {
	t.Helper()
	cert, err := Load(filepath.Join(dir, CertFile), filepath.Join(dir, KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	pool, err := Pool(filepath.Join(dir, CertFile))
	if err != nil {
		t.Fatal(err)
	}
	_, err = cert.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: pool, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err
}

func TestEnsure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ssl")
	first, err := Ensure(dir, now, "gateway.lab", "10.0.0.9")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "gateway.lab", "10.0.0.9"} {
		if err := verify(t, dir, name, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := verify(t, dir, "elsewhere", now); err == nil {
		t.Error("it is good for any name")
	}
	if first.Leaf.Subject.CommonName != "localhost" {
		t.Errorf("common name %q", first.Leaf.Subject.CommonName)
	}
	if info, err := os.Stat(filepath.Join(dir, KeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file is %v, %v", info.Mode(), err)
	}
	again, err := Ensure(dir, now.Add(validity/2))
	if err != nil || !again.Leaf.Equal(first.Leaf) {
		t.Errorf("a good certificate was replaced: %v", err)
	}
	late := now.Add(validity - renewal/2)
	renewed, err := Ensure(dir, late)
	if err != nil || renewed.Leaf.Equal(first.Leaf) {
		t.Errorf("a certificate about to end was kept: %v", err)
	}
	if err := verify(t, dir, "localhost", late); err != nil {
		t.Error(err)
	}
}

func TestFilesThatAreOfNoUse(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []struct{ file, names string }{{KeyFile, "only one"}, {CertFile, CertFile}} {
		if err := os.WriteFile(filepath.Join(dir, step.file), []byte("nothing"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Ensure(dir, now); err == nil || !strings.Contains(err.Error(), step.names) {
			t.Errorf("with %s: %v", step.file, err)
		}
	}
	if _, err := Pool(filepath.Join(dir, CertFile)); err == nil {
		t.Error("nothing is a certificate")
	}
	if _, err := Pool(filepath.Join(dir, "missing")); err == nil {
		t.Error("a file that is missing is one")
	}
}
