package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/go-logr/logr"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/addresspool/echo"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/ping"
	"github.com/genode-operator/genode-operator/internal/session/simso"
	"github.com/genode-operator/genode-operator/internal/session/stdio"
	"github.com/genode-operator/genode-operator/internal/session/taskloader"
)

// sessionClass is a session class for list -s; old is what taskgen called it.
type sessionClass struct {
	name v1alpha1.SessionClass
	old  string
	says string
}

var sessionClasses = []sessionClass{
	{v1alpha1.ClassPing, "genode.PingSession", "targets at addresses that answer pings"},
	{v1alpha1.ClassGenode, "genode.GenodeSession", "targets at addresses, without a ping before the connection"},
	{v1alpha1.ClassSimSo, "simso.SimSoSession", "no target: simulate how the tasks are scheduled"},
	{v1alpha1.ClassStdio, "stdio.StdIOSession", "no target: print what would be sent"},
	{v1alpha1.ClassQemu, "genode.QemuSession", "virtual machines in pods: needs a cluster, see docs/targetpool.md"},
}

// classOf finds a class by its name or its old one.
func classOf(name string) (v1alpha1.SessionClass, error) {
	var known []string
	for _, c := range sessionClasses {
		if name == string(c.name) || name == c.old || name == c.old[strings.Index(c.old, ".")+1:] {
			if c.name == v1alpha1.ClassQemu {
				return v1alpha1.ClassPing, nil // a guest at an address is like any target there
			}
			return c.name, nil
		}
		known = append(known, string(c.name), c.old)
	}
	return "", fmt.Errorf("session class %q is not known; use one of %s", name, strings.Join(known, ", "))
}

// classes makes the session classes that work without a cluster; end closes what they share.
func classes(out io.Writer, log logr.Logger) (all session.Classes, end func() error) {
	loader := taskloader.New(taskloader.Options{Log: log.WithName("taskloader")})
	pinger := echo.New(echo.Options{})
	return session.Classes{
		string(v1alpha1.ClassGenode): loader,
		string(v1alpha1.ClassPing):   ping.New(loader, pinger),
		string(v1alpha1.ClassStdio):  stdio.New(out),
		string(v1alpha1.ClassSimSo):  simso.New(simso.Options{Workers: runtime.GOMAXPROCS(0)}),
	}, pinger.Close
}
