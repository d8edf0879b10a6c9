package localnode

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/utils/ptr"

	"github.com/genode-operator/genode-operator/internal/devcluster/assets"
)

const (
	leaseInterval  = 10 * time.Second
	leaseSeconds   = 40
	statusInterval = time.Minute
	maxPods        = 250
)

// register makes the Node object, or takes over the one there is, and says that it is ready.
func (n *Node) register(ctx context.Context) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.name, Labels: map[string]string{
		corev1.LabelHostname:           n.name,
		corev1.LabelOSStable:           runtime.GOOS,
		corev1.LabelArchStable:         runtime.GOARCH,
		corev1.LabelInstanceTypeStable: "localnode",
	}}}
	if _, err := n.api.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("register node %q: %w", n.name, err)
	}
	if err := n.reportStatus(ctx); err != nil {
		return err
	}
	return n.renewLease(ctx)
}

// heartbeat keeps the node alive in the eyes of the control plane.
func (n *Node) heartbeat(ctx context.Context) {
	lease, status := time.NewTicker(leaseInterval), time.NewTicker(statusInterval)
	defer lease.Stop()
	defer status.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-lease.C:
			err = n.renewLease(ctx)
		case <-status.C:
			err = n.reportStatus(ctx)
		}
		if err != nil && ctx.Err() == nil {
			n.log.Info("A heartbeat of the node failed; trying again at its next", "error", err.Error())
		}
	}
}

func (n *Node) renewLease(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	leases := n.api.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	lease, err := leases.Get(ctx, n.name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("renew the lease of node %q: %w", n.name, err)
	}
	spec := coordinationv1.LeaseSpec{
		HolderIdentity: ptr.To(n.name), LeaseDurationSeconds: ptr.To[int32](leaseSeconds), RenewTime: ptr.To(metav1.NowMicro()),
	}
	if err != nil {
		_, err = leases.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: n.name}, Spec: spec}, metav1.CreateOptions{})
	} else {
		lease.Spec = spec
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("renew the lease of node %q: %w", n.name, err)
	}
	return nil
}

// reportStatus patches the node's status: the node lifecycle controller writes it too.
func (n *Node) reportStatus(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	node, err := n.api.CoreV1().Nodes().Get(ctx, n.name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("report the status of node %q: %w", n.name, err)
	}
	status := n.status(node.Status, metav1.Now())
	old, err := json.Marshal(corev1.Node{Status: node.Status})
	if err != nil {
		return fmt.Errorf("encode status: %w", err)
	}
	updated, err := json.Marshal(corev1.Node{Status: status})
	if err != nil {
		return fmt.Errorf("encode status: %w", err)
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(old, updated, corev1.Node{})
	if err != nil {
		return fmt.Errorf("compare statuses: %w", err)
	}
	if _, err := n.api.CoreV1().Nodes().Patch(ctx, n.name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		return fmt.Errorf("report the status of node %q: %w", n.name, err)
	}
	return nil
}

func (n *Node) status(before corev1.NodeStatus, now metav1.Time) corev1.NodeStatus {
	status := *before.DeepCopy()
	status.Capacity = machineCapacity()
	maps.Copy(status.Capacity, n.capacity)
	status.Allocatable = status.Capacity
	status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: nodeAddress}, {Type: corev1.NodeHostName, Address: n.name}}
	status.DaemonEndpoints.KubeletEndpoint.Port = n.port
	status.NodeInfo.KubeletVersion = assets.Version + "-localnode"
	status.NodeInfo.OperatingSystem, status.NodeInfo.Architecture = runtime.GOOS, runtime.GOARCH
	status.NodeInfo.OSImage = "this machine; for development and demonstration only"
	status.NodeInfo.ContainerRuntimeVersion = "localnode://" + assets.Version
	for _, c := range []corev1.NodeCondition{
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "LocalNodeReady", Message: "pods run as ordinary processes of this machine"},
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "NotMeasured"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "NotMeasured"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "NotMeasured"},
	} {
		setNodeCondition(&status, c, now)
	}
	return status
}

func setNodeCondition(status *corev1.NodeStatus, c corev1.NodeCondition, now metav1.Time) {
	c.LastHeartbeatTime, c.LastTransitionTime = now, now
	for i, old := range status.Conditions {
		if old.Type == c.Type {
			if old.Status == c.Status {
				c.LastTransitionTime = old.LastTransitionTime
			}
			status.Conditions[i] = c
			return
		}
	}
	status.Conditions = append(status.Conditions, c)
}

func machineCapacity() corev1.ResourceList {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:  *resource.NewQuantity(int64(runtime.NumCPU()), resource.DecimalSI),
		corev1.ResourcePods: *resource.NewQuantity(maxPods, resource.DecimalSI),
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err == nil {
		capacity[corev1.ResourceMemory] = *resource.NewQuantity(int64(info.Totalram)*int64(info.Unit), resource.BinarySI)
	}
	return capacity
}
