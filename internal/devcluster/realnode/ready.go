package realnode

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// api is a client of the cluster as its administrator.
func (p *parts) api() (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(p.dir, "kubeconfig"))
	if err != nil {
		return nil, err
	}
	config.Timeout = 2 * time.Second // of one request
	config.QPS = -1                  // await's interval is limit enough
	return kubernetes.NewForConfig(config)
}

// apiReady says what keeps the API server from its work.
func (p *parts) apiReady(ctx context.Context) error {
	api, err := p.api() // the kubeconfig comes with the server
	if err != nil {
		return err
	}
	return api.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

// nodeReady says what keeps the node from being ready. What an earlier run has left in its status does not count.
func (p *parts) nodeReady(ctx context.Context, since time.Time) error {
	api, err := p.api()
	if err != nil {
		return err
	}
	node, err := api.CoreV1().Nodes().Get(ctx, Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, c := range node.Status.Conditions {
		switch {
		case c.Type != corev1.NodeReady:
		case c.LastHeartbeatTime.Time.Before(since.Truncate(time.Second)):
			return errors.New("the kubelet has not reported yet")
		case c.Status != corev1.ConditionTrue:
			return fmt.Errorf("%s: %s", c.Reason, c.Message)
		default:
			_, err := api.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
			return err // without it there are no pods
		}
	}
	return errors.New("the node has no condition Ready yet")
}
