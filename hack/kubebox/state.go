package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// loopback is where the API listens unless somebody wants it elsewhere.
const loopback = "127.0.0.1"

// openCluster locks the state directory, chooses the port when it is 0, and writes whatever of the keys and
// kubeconfigs is missing.
func openCluster(dir, address string) (*cluster, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Is4() || at.Addr().IsUnspecified() {
		return nil, fmt.Errorf("--address and --port %s: give an IPv4 address of this machine, and a port from 0 to 65535", address)
	}
	dir, err = filepath.Abs(dir)
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
	if c.address, err = chooseAddress(c.path("port"), at); err != nil {
		return nil, err
	}
	if err := c.writeKeys(); err != nil {
		return nil, err
	}
	return c, nil
}

// chooseAddress returns the wanted address. When its port is 0, the port is the one noted in file by the
// previous run, so that kubeconfigs handed out then stay right, or else a free one. It notes the choice.
func chooseAddress(file string, wanted netip.AddrPort) (netip.AddrPort, error) {
	at := wanted
	if at.Port() == 0 {
		if b, err := os.ReadFile(file); err == nil {
			port, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 16)
			at = netip.AddrPortFrom(at.Addr(), uint16(port))
		}
	}
	l, err := net.Listen("tcp", at.String())
	if err != nil && wanted.Port() == 0 && errors.Is(err, syscall.EADDRINUSE) {
		l, err = net.Listen("tcp", wanted.String())
	}
	if err != nil {
		return at, fmt.Errorf("listen on %s: %w; choose another --address or --port, or port 0 for a free one", at, err)
	}
	at = netip.AddrPortFrom(at.Addr(), uint16(l.Addr().(*net.TCPAddr).Port))
	if err := l.Close(); err != nil {
		return at, fmt.Errorf("release %s: %w", at, err)
	}
	return at, writeFile(file, []byte(strconv.Itoa(int(at.Port()))+"\n"))
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
