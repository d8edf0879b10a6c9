package targetpool

import (
	"cmp"
	"context"
	"net/netip"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/addresspool"
	"github.com/genode-operator/genode-operator/internal/session"
)

// discovery looks for targets at the addresses of pools, and wakes the queue when one was found. It is a
// manager.Runnable that runs on the leader only.
type discovery struct {
	scanner  *addresspool.Scanner
	class    session.Class
	sessions client.Reader
	wakes    chan event.GenericEvent
	news     chan struct{} // a token: some pools are dirty

	mu    sync.Mutex
	pools map[types.NamespacedName]scanned
	dirty map[string]struct{} // keys of the scanner
}

// scanned is a pool whose addresses are looked at.
type scanned struct {
	uid        types.UID
	generation int64
	ranges     *addresspool.Ranges
	err        error
}

func newDiscovery(class session.Class, sessions client.Reader) *discovery {
	d := &discovery{
		class: class, sessions: sessions, wakes: make(chan event.GenericEvent), news: make(chan struct{}, 1),
		pools: map[types.NamespacedName]scanned{}, dirty: map[string]struct{}{},
	}
	d.scanner = addresspool.NewScanner(addresspool.ScannerOptions{Changed: d.changed})
	return d
}

// NeedLeaderElection makes the manager start it on the leader only.
func (*discovery) NeedLeaderElection() bool { return true }

// Start scans until ctx ends.
func (d *discovery) Start(ctx context.Context) error {
	var scanning sync.WaitGroup
	defer scanning.Wait()
	scanning.Go(func() { _ = d.scanner.Start(ctx) }) // always nil
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.news:
		}
		for _, e := range d.takeDirty() {
			select {
			case <-ctx.Done():
				return nil
			case d.wakes <- e:
			}
		}
	}
}

// look makes sure that the addresses of a pool are looked at, and returns what was found so far; nil for a
// pool of replicas.
func (d *discovery) look(pool *v1alpha1.TargetPool) *scan {
	key := client.ObjectKeyFromObject(pool)
	if len(pool.Spec.Addresses) == 0 || pool.DeletionTimestamp != nil {
		d.forget(key)
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p, known := d.pools[key]
	if !known || p.uid != pool.UID || p.generation != pool.Generation {
		p = d.begin(key, pool)
		d.pools[key] = p
	}
	if p.err != nil {
		return &scan{err: p.err}
	}
	return &scan{ranges: p.ranges, found: d.scanner.Found(key.String())}
}

// begin has a pool's addresses scanned, or those of another spec.
func (d *discovery) begin(key types.NamespacedName, pool *v1alpha1.TargetPool) scanned {
	p := scanned{uid: pool.UID, generation: pool.Generation}
	p.ranges, p.err = addresspool.Parse(pool.Spec.Addresses, pool.Spec.ExcludeAddresses)
	if p.err == nil {
		p.err = d.scanner.Set(key.String(), p.ranges, d.check(pool))
	}
	if p.err != nil {
		d.scanner.Remove(key.String())
	}
	return p
}

// check looks at an address, unless it has a TargetSession, which is looked at by itself.
func (d *discovery) check(pool *v1alpha1.TargetPool) addresspool.Check {
	spec := pool.Spec.Template.Spec
	at := session.Target{Class: string(spec.Class), Generation: string(spec.Taskloader.Generation)}
	port := uint16(cmp.Or(spec.Taskloader.Port, v1alpha1.TaskloaderPort))
	namespace, name := pool.Namespace, pool.Name // the pool itself belongs to the pass
	return func(ctx context.Context, a netip.Addr) error {
		key := types.NamespacedName{Namespace: namespace, Name: nameAt(name, a)}
		if d.sessions.Get(ctx, key, &v1alpha1.TargetSession{}) == nil {
			return nil
		}
		there := at
		there.Name, there.Address = key.String(), netip.AddrPortFrom(a, port).String()
		return d.class.Available(ctx, there)
	}
}

func (d *discovery) forget(key types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.pools, key)
	d.scanner.Remove(key.String())
}

// changed marks a pool; several marks may become one wake-up.
func (d *discovery) changed(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dirty[key] = struct{}{}
	select {
	case d.news <- struct{}{}:
	default:
	}
}

func (d *discovery) takeDirty() []event.GenericEvent {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []event.GenericEvent
	for key := range d.dirty {
		namespace, name, _ := strings.Cut(key, "/")
		all = append(all, event.GenericEvent{Object: &v1alpha1.TargetPool{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}})
	}
	clear(d.dirty)
	return all
}
