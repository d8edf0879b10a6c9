//go:build linux

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
)

func TestConsoleLines(t *testing.T) {
	var b strings.Builder
	log := logr.New(&sink{out: &b, verbosity: 2}).WithValues("client", "1.2.3.4:5")
	log.Info("Client connected")
	log.V(2).Info("Binary taken", "name", "a b", "bytes", 5)
	log.V(3).Info("Too much")
	log.Error(errors.New("no room"), "Storing failed")
	logr.New(&sink{out: &b}).Info("[init -> taskloader -> 00.hey] hey")
	want := "refguest: Client connected client=1.2.3.4:5\n" +
		"refguest: Binary taken client=1.2.3.4:5 name=\"a b\" bytes=5\n" +
		"refguest: Storing failed client=1.2.3.4:5 error=\"no room\"\n" +
		"[init -> taskloader -> 00.hey] hey\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}
