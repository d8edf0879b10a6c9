package clicluster

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/managerapi"
	"github.com/genode-operator/genode-operator/internal/session"
)

const forEver = 3_600_000 // ms

// TestStopAndResume does it as a plugin of kubectl, for which --cluster need not be said.
func TestStopAndResume(t *testing.T) {
	var quick atomic.Bool
	l := newLab(t, 2, faketarget.Options{Quiet: true, Job: func(faketarget.Job) faketarget.Plan {
		if quick.Load() {
			return faketarget.Plan{Milliseconds: 5}
		}
		return faketarget.Plan{Milliseconds: forEver}
	}}).open()
	l.write("hey6.yaml", "hey6", "example.Hey6", nil)
	run := l.begin("kubectl-genode", "run", "-f", "hey6.yaml")
	l.await("hey6", "two variants run", func(ts *v1alpha1.TaskSet) bool { return ts.Status.Variants != nil && ts.Status.Variants.Running == 2 })
	l.do("kubectl-genode", "sessions").want(t, 0, l.at(0)+":", l.at(1)+":")
	if json := l.do("kubectl-genode", "sessions", "-o", "json").want(t, 0); strings.Count(json.out, `"peer"`) != 2 {
		t.Errorf("want two sessions: %s", json.out)
	}

	l.do("kubectl-genode", "stop", "hey6").want(t, 0)
	stopped := l.await("hey6", "nothing runs", func(ts *v1alpha1.TaskSet) bool {
		return reason(ts) == v1alpha1.ReasonSuspended && ts.Status.Variants.Running == 0
	})
	if v := stopped.Status.Variants; v.Succeeded+v.Failed != 0 {
		t.Errorf("variants that were stopped are counted: %+v", v)
	}
	if none := l.records(l.do("kubectl-genode", "results", "hey6", "-o", "jsonl", "--where", "final")); len(none) != 0 {
		t.Errorf("variants that were stopped have final records: %+v", none)
	}

	quick.Store(true)
	l.do("kubectl-genode", "resume", "hey6").want(t, 0)
	run().want(t, 0, "127/127 variants")
	if all := l.records(l.do("kubectl-genode", "results", "hey6", "-o", "jsonl", "--where", "final && succeeded")); len(all) != 127 {
		t.Errorf("%d records, want 127", len(all))
	}
}

// TestRetry runs a variant that fails until somebody asks for more.
func TestRetry(t *testing.T) {
	var repaired atomic.Bool
	l := newLab(t, 1, faketarget.Options{Quiet: true, Job: func(faketarget.Job) faketarget.Plan {
		if repaired.Load() {
			return faketarget.Plan{}
		}
		return faketarget.Plan{Milliseconds: faketarget.Endless}
	}}).open()
	l.write("hey0.yaml", "hey0", "example.Hey0", func(s *v1alpha1.TaskSetSpec) {
		limit, timeout := int32(0), int32(1)
		s.Retries.Limit, s.TimeoutSeconds = &limit, &timeout
	})
	l.do("genodectl", "run", "-f", "hey0.yaml", "--cluster").want(t, 1, "1 failed")
	l.do("genodectl", "results", "hey0", "-n", l.Namespace, "--where", "!succeeded").want(t, 0, "TimedOut")

	repaired.Store(true)
	l.do("genodectl", "retry", "hey0", "--cluster").want(t, 0)
	l.await("hey0", "completion after the retry", func(ts *v1alpha1.TaskSet) bool { return complete(ts) && ts.Status.Variants.Succeeded == 1 })
	all := l.records(l.do("genodectl", "results", "hey0", "-n", l.Namespace, "-o", "jsonl", "--where", "final"))
	if len(all) != 1 || !all[0].Succeeded {
		t.Errorf("records %+v, want the one that succeeded", all)
	}
}

// TestMistakesInAClusterGetAnAnswer needs no manager.
func TestMistakesInAClusterGetAnAnswer(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	l.write("hey0.yaml", "hey0", "example.Hey0", nil)
	first := l.command("genodectl", "run", "-f", "hey0.yaml", "--cluster")
	log, err := first.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(log).ReadString('\n')
	_ = first.Process.Kill()
	_ = first.Wait() // by the signal
	if !strings.Contains(line, "created TaskSet") {
		t.Fatalf("run says %q", line)
	}
	for command, want := range map[string]string{
		"run -f hey0.yaml --cluster":             "exists already",
		"run -t example.Hey0 --cluster":          "spec.targets.selector is empty",
		"stop nothing --cluster":                 "not found",
		"resume nothing --cluster":               "not found",
		"retry nothing --cluster":                "not found",
		"sessions":                               "where is the manager?",
		"results hey0 --manager ftp://localhost": "ask the manager",
		"run -f hey0.yaml --cluster --context a": `"a"`,
		"stop hey0 --cluster --kubeconfig gone":  "gone",
		"run -f hey0.yaml --cluster -n nowhere":  "nowhere",
	} {
		l.do("genodectl", strings.Fields(command)...).want(t, 2, want)
	}
	l.do("kubectl-genode", "results", "hey0").want(t, 2, "where is the manager?")
}

// TestAManagerWithACertificateOfItsOwn is asked over TLS, with a token.
func TestAManagerWithACertificateOfItsOwn(t *testing.T) {
	l := newLab(t, 0, faketarget.Options{})
	registry := session.NewRegistry(nil)
	registry.Enter(l.Namespace+"/a", "127.0.0.1:1")
	registry.Enter("others/b", "127.0.0.1:2")
	server := httptest.NewTLSServer(managerapi.New(managerapi.Options{Registry: registry, Authenticate: onlyWith("secret")}).Handler())
	defer server.Close()
	l.api = server.URL
	l.do("genodectl", "sessions", "--token", "secret").want(t, 2, "--insecure-skip-tls-verify")
	l.do("genodectl", "sessions", "--insecure-skip-tls-verify").want(t, 2, "401")
	all := l.do("genodectl", "sessions", "--insecure-skip-tls-verify", "--token", "secret").want(t, 0, l.Namespace+"/a", "127.0.0.1:1", "others/b")
	mine := l.do("genodectl", "sessions", "--insecure-skip-tls-verify", "--token", "secret", "-n", l.Namespace).want(t, 0, l.Namespace+"/a")
	if strings.Contains(mine.out, "others/b") {
		t.Errorf("-n %s shows\n%swhere without it there is\n%s", l.Namespace, mine.out, all.out)
	}
}

// onlyWith lets in who has the token, and lets them see everything.
func onlyWith(token string) managerapi.Authenticate {
	return func(r *http.Request) (managerapi.May, error) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			return nil, managerapi.ErrUnauthenticated
		}
		return func(context.Context, managerapi.Access) error { return nil }, nil
	}
}
