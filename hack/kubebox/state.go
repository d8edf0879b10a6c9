package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// openCluster locks the state directory, chooses the port, and writes whatever of the keys and
// kubeconfigs is missing.
func openCluster(dir string, port int) (*cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	// Others may pass through the directory, since a node whose pods run as another user may keep
	// its files below it; what lies in it is closed to them file by file.
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "run"), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of sockets: %w", err)
	}
	c := &cluster{dir: dir}
	if c.lock, err = os.OpenFile(c.path("lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("open the lock of the state directory: %w", err)
	}
	if err := syscall.Flock(int(c.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("another control plane runs on %s (%w); stop it or choose another --dir", dir, err)
	}
	if c.port, err = choosePort(c.path("port"), port); err != nil {
		return nil, err
	}
	if err := c.writeKeys(); err != nil {
		return nil, err
	}
	return c, nil
}

// choosePort returns the wanted port; or, when that is 0, the one noted in file by the previous
// run, so that kubeconfigs handed out then stay right; or else a free one. It notes the choice.
func choosePort(file string, wanted int) (int, error) {
	port := wanted
	if port == 0 {
		if b, err := os.ReadFile(file); err == nil {
			port, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil && wanted == 0 && errors.Is(err, syscall.EADDRINUSE) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return 0, fmt.Errorf("port %d on 127.0.0.1: %w; choose another --port, or 0 for a free one", port, err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return 0, fmt.Errorf("release port %d: %w", port, err)
	}
	return port, writeFile(file, []byte(strconv.Itoa(port)+"\n"))
}

// writeFile replaces a file at once: a reader, or a crash, never meets half of it.
func writeFile(path string, content []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, content, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// socketURL is the URL of a unix socket in the working directory, in etcd's notation.
func socketURL(name string) []url.URL {
	return []url.URL{{Scheme: "unix", Host: name + ":0"}}
}
