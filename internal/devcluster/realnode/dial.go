package realnode

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// DialContext connects to an address in the node's network namespace: the API server, pods, Services. The
// address must be an IP address and a port.
func (n *Node) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		// A socket belongs to the namespace of the thread that makes it. The thread cannot be used for
		// anything else afterwards: it ends with the goroutine, because it stays locked.
		runtime.LockOSThread()
		if err := enterNetwork(n.Pid); err != nil {
			done <- result{nil, err}
			return
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

// enterNetwork moves the calling thread into the network namespace of a process.
func enterNetwork(pid int) error {
	namespace, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "ns", "net"))
	if err != nil {
		return fmt.Errorf("the node has ended: %w", err)
	}
	defer func() { _ = namespace.Close() }()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the node's network: %w", err)
	}
	return nil
}

// RESTConfig is the administrator's, with connections made in the node's network namespace.
func (n *Node) RESTConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", n.Kubeconfig)
	if err != nil {
		return nil, err
	}
	config.Dial = n.DialContext
	return config, nil
}
