package addresstarget

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/session"
	"github.com/genode-operator/genode-operator/internal/session/simso"
)

// scope is the state of the world for one pass. observe fills it, and act the sight.
type scope struct {
	now     time.Time
	session *v1alpha1.TargetSession // the object; report is the only writer of its status
	before  *v1alpha1.TargetSession // deep copy taken right after the read, for the status patch

	peer  Peer
	sames []v1alpha1.TargetSession // with the same peer, this one included
	sight Sight                    // the newest
}

// observe gathers everything that decide needs; nil when the session is gone.
func (r *Reconciler) observe(ctx context.Context, name types.NamespacedName) (*scope, error) {
	s := &scope{now: r.clock.Now(), session: &v1alpha1.TargetSession{}}
	if err := r.client.Get(ctx, name, s.session); err != nil {
		if apierrors.IsNotFound(err) {
			r.watcher.Forget(name)
			return nil, nil
		}
		return nil, fmt.Errorf("read the TargetSession: %w", err)
	}
	s.before = s.session.DeepCopy()
	s.peer = Peer{Target: TargetOf(s.session), Health: s.session.Spec.Health}
	if s.peer.Target.Address == "" {
		return s, nil
	}
	var err error
	s.sames, err = r.withPeer(ctx, s.peer.Target.Address)
	return s, err
}

// TargetOf says where the target of a session without a pod is. A dry run has no address, nor has a simulated one.
func TargetOf(ts *v1alpha1.TargetSession) session.Target {
	t := session.Target{
		Name: ts.Namespace + "/" + ts.Name, Class: string(ts.Spec.Class),
		Generation: string(cmp.Or(ts.Spec.Taskloader.Generation, v1alpha1.GenerationAuto)),
	}
	if ts.Spec.Class == v1alpha1.ClassSimSo {
		t.Settings = simso.FromSpec(ts.Spec.SimSo)
	}
	if addr, err := netip.ParseAddr(ts.Spec.Address); err == nil { // the API refuses others
		t.Address = netip.AddrPortFrom(addr, uint16(cmp.Or(ts.Spec.Taskloader.Port, v1alpha1.TaskloaderPort))).String()
	}
	return t
}

// peerIndex is the cache's index of sessions by address and port.
const peerIndex = "peer"

func indexPeer(o client.Object) []string {
	ts, ok := o.(*v1alpha1.TargetSession)
	if !ok || ts.Spec.Address == "" {
		return nil
	}
	return []string{TargetOf(ts).Address}
}

// withPeer lists the sessions of all namespaces that have this address and port.
func (r *Reconciler) withPeer(ctx context.Context, peer string) ([]v1alpha1.TargetSession, error) {
	var list v1alpha1.TargetSessionList
	if err := r.client.List(ctx, &list, client.MatchingFields{peerIndex: peer}); err != nil {
		return nil, fmt.Errorf("list the TargetSessions at %s: %w", peer, err)
	}
	return list.Items, nil
}

// rivals are the other sessions with the same address as one that was made, changed or deleted.
func (r *Reconciler) rivals(ctx context.Context, o client.Object) []ctrl.Request {
	var all []ctrl.Request
	for _, peer := range indexPeer(o) {
		sames, err := r.withPeer(ctx, peer)
		if err != nil {
			return nil // the cache is gone: so is the controller
		}
		for i := range sames {
			if sames[i].UID != o.GetUID() {
				all = append(all, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&sames[i])})
			}
		}
	}
	return all
}
