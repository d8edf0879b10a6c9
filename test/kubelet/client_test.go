package kubelet

import (
	"errors"
	"net"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/devcluster/realnode"
	"github.com/genode-operator/genode-operator/test/lab"
)

const (
	system    = "genode-operator-system" // namespace of the manager
	namespace = "lab"                    // of the targets
)

// client reads objects as the administrator.
type client struct{ ctrlclient.Client }

func newClient(n *realnode.Node) (client, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return client{}, err
	}
	config, err := n.RESTConfig()
	if err != nil {
		return client{}, err
	}
	c, err := ctrlclient.New(config, ctrlclient.Options{Scheme: scheme})
	return client{c}, err
}

// await polls until ok holds.
func (c *cluster) await(what string, limit time.Duration, ok func() bool) {
	c.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(limit); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			c.Fatalf("waited %s for %s", limit, what)
		}
	}
}

func (c *cluster) session(name string) *v1alpha1.TargetSession {
	c.Helper()
	var ts v1alpha1.TargetSession
	if err := c.Get(c.Context(), types.NamespacedName{Namespace: namespace, Name: name}, &ts); err != nil {
		c.Logf("TargetSession %s: %v", name, err) // the API server may be busy
	}
	return &ts
}

func (c *cluster) ready(name string) func() bool {
	return func() bool {
		return meta.IsStatusConditionTrue(c.session(name).Status.Conditions, v1alpha1.ConditionReady)
	}
}

func (c *cluster) taskset(name string) *v1alpha1.TaskSet {
	c.Helper()
	var ts v1alpha1.TaskSet
	if err := c.Get(c.Context(), types.NamespacedName{Namespace: namespace, Name: name}, &ts); err != nil {
		c.Logf("TaskSet %s: %v", name, err)
	}
	return &ts
}

func (c *cluster) complete(name string) func() bool {
	return func() bool {
		return meta.IsStatusConditionTrue(c.taskset(name).Status.Conditions, v1alpha1.ConditionComplete)
	}
}

func (c *cluster) pods() []corev1.Pod {
	c.Helper()
	var list corev1.PodList
	if err := c.List(c.Context(), &list, ctrlclient.InNamespace(namespace)); err != nil {
		c.Fatal(err)
	}
	return list.Items
}

// freeze hangs the guest of a target for real, and returns when.
func (c *cluster) freeze(name string) time.Time {
	c.Helper()
	at, err := lab.Tell(c.Context(), c.node.DialContext, c.session(name).Status.Address, "hang")
	if err != nil {
		c.Fatal(err)
	}
	return at
}

// answers is true when the guest's taskloader port accepts connections.
func (c *cluster) answers(name string) bool {
	conn, err := c.node.DialContext(c.Context(), "tcp", net.JoinHostPort(c.session(name).Status.Address, strconv.Itoa(lab.ControlPort)))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
