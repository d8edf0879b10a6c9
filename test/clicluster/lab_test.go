// Package clicluster holds no code: its tests run genodectl, also as a plugin of kubectl, with the manager as a
// process on a real API server. The targets are fakes that listen at loopback addresses.
package clicluster

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/faketarget"
	"github.com/genode-operator/genode-operator/internal/testenv"
)

// programs is the folder with manager, genodectl and kubectl-genode.
var programs string

func TestMain(m *testing.M) { os.Exit(prepared(m)) }

func prepared(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "clicluster-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(programs)
	build := exec.Command("go", "build", "-o", programs+"/", "../../cmd/genodectl", "../../cmd/manager")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as they are built for users
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build programs: %v\n%s", err, out))
	}
	if err := os.Symlink("genodectl", filepath.Join(programs, "kubectl-genode")); err != nil {
		panic(err)
	}
	return testenv.Main(m)
}

// lab is a namespace with a manager, a user of the cluster, and targets.
type lab struct {
	*testenv.Lab
	home       string // of the user, and of the manager's results
	kubeconfig string
	api        string // of the manager, a URL
	street     string // first three parts of the addresses of the targets
	port       int32  // of all targets
	fakes      int
}

func newLab(t *testing.T, fakes int, o faketarget.Options) *lab {
	t.Helper()
	l := &lab{Lab: testenv.NewLab(t), fakes: fakes, home: t.TempDir(), street: fmt.Sprintf("127.%d.%d", 10+os.Getpid()%80, os.Getpid()/80%200)}
	l.writeKubeconfig()
	if err := os.Mkdir(filepath.Join(l.home, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	hey := []byte("\x7fELF hey")
	if err := os.WriteFile(filepath.Join(l.home, "bin", "hey"), hey, 0o600); err != nil {
		t.Fatal(err)
	}
	l.Make(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "binaries", Namespace: l.Namespace}, BinaryData: map[string][]byte{"hey": hey}})
	for n := range fakes {
		o.Address = net.JoinHostPort(l.at(n), strconv.Itoa(int(l.port)))
		target, err := faketarget.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(target.Close)
		_, port, err := net.SplitHostPort(target.Address())
		if err != nil {
			t.Fatal(err)
		}
		number, _ := strconv.Atoi(port)
		l.port = int32(number)
	}
	return l
}

// open starts the manager and makes a pool of all targets. From then on they are the manager's.
func (l *lab) open(flags ...string) *lab {
	l.Helper()
	l.Make(&v1alpha1.TargetPool{
		ObjectMeta: metav1.ObjectMeta{Name: "boards", Namespace: l.Namespace},
		Spec: v1alpha1.TargetPoolSpec{Addresses: []string{l.at(0) + "-" + l.at(l.fakes-1)}, Template: v1alpha1.TargetSessionTemplate{
			Metadata: v1alpha1.TemplateMetadata{Labels: map[string]string{"lab": "boards"}},
			Spec:     v1alpha1.TargetSessionSpec{Class: v1alpha1.ClassGenode, Taskloader: v1alpha1.TaskloaderSpec{Port: l.port}},
		}},
	})
	l.startManager(flags...)
	return l
}

// at is the address of target n.
func (l *lab) at(n int) string { return fmt.Sprintf("%s.%d", l.street, n+1) }

func (l *lab) results() string { return filepath.Join(l.home, "manager.db") }

// writeKubeconfig gives the user access to the cluster.
func (l *lab) writeKubeconfig() {
	l.Helper()
	c := clientcmdapi.NewConfig()
	c.Clusters["test"] = &clientcmdapi.Cluster{Server: l.Config.Host, CertificateAuthorityData: l.Config.CAData}
	c.AuthInfos["test"] = &clientcmdapi.AuthInfo{ClientCertificateData: l.Config.CertData, ClientKeyData: l.Config.KeyData}
	c.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test", Namespace: l.Namespace}
	c.CurrentContext = "test"
	l.kubeconfig = filepath.Join(l.home, "kubeconfig")
	if err := clientcmd.WriteToFile(*c, l.kubeconfig); err != nil {
		l.Fatal(err)
	}
}

// startManager starts the manager for this namespace, with SQLite unless flags say otherwise; it ends with the test.
func (l *lab) startManager(flags ...string) {
	l.Helper()
	if len(flags) == 0 {
		flags = []string{"--results=" + l.results()}
	}
	cmd := exec.Command(filepath.Join(programs, "manager"), append([]string{
		"--namespace=" + l.Namespace, "--runner-image=none",
		"--api-bind-address=127.0.0.1:0", "--metrics-bind-address=0", "--health-probe-bind-address=0",
	}, flags...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.kubeconfig)
	log, err := cmd.StderrPipe()
	if err != nil {
		l.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.Fatal(err)
	}
	address, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		l.follow(log, address)
	}()
	l.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if err := cmd.Wait(); err != nil {
			l.Errorf("the manager ended: %v", err)
		}
	})
	const limit = time.Minute
	select {
	case at := <-address:
		l.api = "http://" + at
	case <-ended:
		l.Fatal("the manager has ended")
	case <-time.After(limit):
		l.Fatal("the manager's API does not come up")
	}
}

// secret is in every password of these tests.
const secret = "s3cret"

// follow reads the manager's log, and finds the address of its API in it.
func (l *lab) follow(log io.Reader, address chan<- string) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if strings.Contains(lines.Text(), secret) {
			l.Errorf("the manager tells a password: %s", lines.Text())
		}
		var line struct{ Level, Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Level == "error" {
			l.Logf("manager: %s", lines.Text())
		}
		if line.Msg == "Serving the manager's API" {
			address <- line.Address
		}
	}
}
