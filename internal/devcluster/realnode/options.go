package realnode

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Options of a cluster.
type Options struct {
	// Dir holds the state, and is made when missing; what is found there goes on. Required. It must not
	// be on an overlay file system.
	Dir string
	// Programs is the folder with kubebox and its links; see package assets. Required.
	Programs string
	// Images are archives, as docker save writes them, that pods can use. There is no registry. One of them
	// must hold PauseImage.
	Images []string
	// ReadyTimeout is how long to wait for the node; default 3 minutes. Usual are 6 to 10 s.
	ReadyTimeout time.Duration
	// Log is told what happens. Nil for silence.
	Log io.Writer
}

// PauseImage is what holds a pod's namespaces; one of Options.Images has it.
const PauseImage = "localhost/pause:dev"

// What the node is called, and where things are in its network namespace.
const (
	Name    = "local"
	Address = "192.168.77.2" // of the node
	APIPort = 6443
	pods    = "10.244.0.0/24"
)

// needed are programs of the machine, with the Debian package that has them.
var needed = [][2]string{
	{"containerd", "containerd"}, {"ctr", "containerd"}, {"runc", "runc"}, {"iptables", "iptables"},
	{"conntrack", "conntrack"}, {"ip", "iproute2"}, {"nsenter", "util-linux"}, {cniPlugins + "/bridge", "containernetworking-plugins"},
}

const cniPlugins = "/usr/lib/cni"

// check says everything that stands in the way.
func (o Options) check() error {
	var errs []error
	if os.Geteuid() != 0 {
		errs = append(errs, errors.New("a real node needs root, for namespaces, mounts and cgroups; run this as root or with sudo"))
	}
	var packages []string
	for _, n := range needed {
		if _, err := exec.LookPath(n[0]); err != nil {
			packages = append(packages, n[1])
		}
	}
	if len(packages) > 0 {
		errs = append(errs, fmt.Errorf("programs are missing: apt-get install --no-install-recommends %s", strings.Join(packages, " ")))
	}
	if o.Dir == "" {
		errs = append(errs, errors.New("Options.Dir is empty; name a folder for the state"))
	}
	for _, name := range []string{"kubebox", "kubelet", "kube-proxy"} {
		if _, err := os.Stat(filepath.Join(o.Programs, name)); err != nil {
			errs = append(errs, fmt.Errorf("programs: %w; build them with: devcluster assets", err))
		}
	}
	for _, image := range o.Images {
		if _, err := os.Stat(image); err != nil {
			errs = append(errs, fmt.Errorf("image: %w", err))
		}
	}
	return errors.Join(errs...)
}
