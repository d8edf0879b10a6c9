package localnode

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/genode-operator/genode-operator/internal/devcluster/process"
)

const (
	apiTimeout  = 10 * time.Second // of one request
	syncTimeout = time.Minute      // for the first list of pods

	// DefaultName is the name of a node that is given none.
	DefaultName = "local"
)

// Options of a node.
type Options struct {
	// RESTConfig is the access to the API server: the node's own, or an administrator's. Required.
	RESTConfig *rest.Config
	// Dir holds the pods' files; the node's alone. Required.
	Dir string
	// Name of the node; default "local".
	Name string
	// Images gives each image reference its folder on this machine.
	Images map[string]string
	// Capacity replaces what the machine has, by resource name: cpu, memory, pods.
	Capacity corev1.ResourceList
	// ServingCert, ServingKey and ClientCA are files for the API behind "kubectl logs". Without
	// them there is none.
	ServingCert, ServingKey, ClientCA string
	// StopGrace bounds the time containers have to end when the node stops; default 5 s.
	StopGrace time.Duration
	// Log is told about troubles of the node itself; those of pods are in their events.
	Log logr.Logger
}

// Node is a running node.
type Node struct {
	name     string
	dir      string
	api      kubernetes.Interface
	images   images
	capacity corev1.ResourceList
	grace    time.Duration
	events   record.EventRecorder
	log      logr.Logger
	port     int32 // of the HTTPS API; 0 without one

	cancel   context.CancelFunc
	closers  []func() // in reverse order, after everything else has ended
	running  sync.WaitGroup
	stopOnce sync.Once
	stopErr  error

	mu      sync.Mutex
	pods    map[types.UID]*podWorker
	stopped time.Time // when containers must have ended; zero while the node runs
}

// Start registers the node and runs the pods bound to it until Stop. ctx bounds only the start.
func Start(ctx context.Context, options Options) (*Node, error) {
	n, err := start(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("start the local node: %w", err)
	}
	return n, nil
}

func start(ctx context.Context, o Options) (*Node, error) {
	n, err := newNode(o)
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	if err := n.begin(ctx, running, o); err != nil {
		return nil, errors.Join(err, n.Stop())
	}
	return n, nil
}

func newNode(o Options) (*Node, error) {
	if o.RESTConfig == nil || o.Dir == "" {
		return nil, errors.New("Options.RESTConfig and Options.Dir are required")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	config := rest.CopyConfig(o.RESTConfig)
	config.QPS, config.Burst = 100, 200
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	n := &Node{
		name: orElse(o.Name, DefaultName), dir: dir, api: api, images: images(maps.Clone(o.Images)), capacity: o.Capacity,
		grace: o.StopGrace, log: o.Log, pods: map[types.UID]*podWorker{},
	}
	if n.grace == 0 {
		n.grace = 5 * time.Second
	}
	for reference, folder := range n.images {
		if n.images[reference], err = filepath.Abs(folder); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// begin starts the parts of the node, each of which ends with running.
func (n *Node) begin(ctx, running context.Context, o Options) error {
	if err := n.lockDir(); err != nil {
		return err
	}
	if left := process.KillMarked(nodeMark, n.dir, killPatience); len(left) > 0 {
		return fmt.Errorf("processes %v of an earlier run on %s cannot be killed", left, n.dir)
	}
	if o.ServingCert != "" {
		if err := n.serve(o.ServingCert, o.ServingKey, o.ClientCA); err != nil {
			return err
		}
	}
	n.startEvents()
	if err := n.register(ctx); err != nil {
		return err
	}
	n.running.Go(func() { n.heartbeat(running) })
	return n.watch(ctx, running)
}

// lockDir makes the folder, and refuses one that another node uses.
func (n *Node) lockDir() error {
	if err := os.MkdirAll(n.podsDir(), 0o711); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(n.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return fmt.Errorf("another node runs on %s (%w); stop it or choose another folder", n.dir, err)
	}
	n.closers = append(n.closers, func() { _ = f.Close() })
	return nil
}

func (n *Node) startEvents() {
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: n.api.CoreV1().Events("")})
	n.events = broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "localnode", Host: n.name})
	n.closers = append(n.closers, broadcaster.Shutdown)
}

// watch follows the pods bound to this node; it returns when the first list has been taken in.
func (n *Node) watch(ctx, running context.Context) error {
	selector := fields.OneTermEqualSelector("spec.nodeName", n.name).String()
	factory := informers.NewSharedInformerFactoryWithOptions(n.api, 0,
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.FieldSelector = selector }))
	informer := factory.Core().V1().Pods().Informer()
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { n.observe(running, object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { n.observe(running, object.(*corev1.Pod)) },
		DeleteFunc: n.forget,
	})
	if err != nil {
		return err
	}
	factory.StartWithContext(running)
	n.closers = append(n.closers, factory.Shutdown)
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	if !cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		return errors.New("the pods of this node cannot be listed; is the API server reachable, and may this user list pods?")
	}
	n.removeStrangers()
	return nil
}

// observe hands a pod to its worker, which it makes if there is none.
func (n *Node) observe(running context.Context, pod *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.stopped.IsZero() {
		return
	}
	if w, ok := n.pods[pod.UID]; ok {
		w.observe(pod)
		return
	}
	w := newPodWorker(n, pod)
	n.pods[pod.UID] = w
	n.running.Go(func() {
		w.run(running)
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.pods, w.uid)
	})
}

// forget tells a pod's worker that the pod is gone.
func (n *Node) forget(object any) {
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = unknown.Obj
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	n.mu.Lock()
	w := n.pods[pod.UID]
	n.mu.Unlock()
	if w != nil {
		w.observe(nil)
	}
}

// removeStrangers removes the folders of pods that are no longer bound to this node.
func (n *Node) removeStrangers() {
	n.mu.Lock()
	defer n.mu.Unlock()
	ours := map[string]bool{}
	for _, w := range n.pods {
		ours[filepath.Base(w.dir)] = true
	}
	entries, err := os.ReadDir(n.podsDir())
	if err != nil {
		n.log.Error(err, "Cannot look for folders of former pods")
	}
	for _, e := range entries {
		if !ours[e.Name()] {
			if err := os.RemoveAll(filepath.Join(n.podsDir(), e.Name())); err != nil {
				n.log.Error(err, "Cannot remove the folder of a former pod", "folder", e.Name())
			}
		}
	}
}

// Stop ends all containers and the node, and waits for it. The pods stay bound; a node started
// again on the same folder runs them anew. The error names processes that could not be killed.
func (n *Node) Stop() error {
	n.stopOnce.Do(func() {
		n.mu.Lock()
		n.stopped = time.Now().Add(n.grace)
		n.mu.Unlock()
		n.cancel()
		n.running.Wait()
		for i := len(n.closers) - 1; i >= 0; i-- {
			n.closers[i]()
		}
		if left := process.KillMarked(nodeMark, n.dir, killPatience); len(left) > 0 {
			n.stopErr = fmt.Errorf("stop the local node: processes %v of its pods cannot be killed", left)
		}
	})
	return n.stopErr
}

// Name of the node.
func (n *Node) Name() string { return n.name }

func (n *Node) podsDir() string { return filepath.Join(n.dir, "pods") }

func (n *Node) stopBy() time.Time { n.mu.Lock(); defer n.mu.Unlock(); return n.stopped }
