package localnode

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// source reads what containers are given from the API. Each is read anew, so that a container
// that is started again sees the newest content.
type source struct {
	api       kubernetes.Interface
	namespace string
}

// secret returns nil without an error when an optional Secret does not exist.
func (s source) secret(ctx context.Context, name string, optional *bool) (*corev1.Secret, error) {
	secret, err := s.api.CoreV1().Secrets(s.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, missing(err, "secret", name, optional)
	}
	return secret, nil
}

// configMap returns nil without an error when an optional ConfigMap does not exist.
func (s source) configMap(ctx context.Context, name string, optional *bool) (map[string][]byte, error) {
	cm, err := s.api.CoreV1().ConfigMaps(s.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, missing(err, "configmap", name, optional)
	}
	data := map[string][]byte{}
	for key, value := range cm.Data {
		data[key] = []byte(value)
	}
	for key, value := range cm.BinaryData {
		data[key] = value
	}
	return data, nil
}

func missing(err error, kind, name string, optional *bool) error {
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("read %s %q: %w", kind, name, err)
	}
	if isTrue(optional) {
		return nil
	}
	return fmt.Errorf("%s %q not found", kind, name)
}

// field returns a field of a pod that containers may be given, by its path.
func field(pod *corev1.Pod, address, path string) (string, error) {
	switch path {
	case "metadata.name":
		return pod.Name, nil
	case "metadata.namespace":
		return pod.Namespace, nil
	case "metadata.uid":
		return string(pod.UID), nil
	case "metadata.labels":
		return formatMap(pod.Labels), nil
	case "metadata.annotations":
		return formatMap(pod.Annotations), nil
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	case "status.podIP", "status.podIPs":
		return address, nil
	case "status.hostIP", "status.hostIPs":
		return nodeAddress, nil
	}
	if key, ok := subscript(path, "metadata.labels"); ok {
		return pod.Labels[key], nil
	}
	if key, ok := subscript(path, "metadata.annotations"); ok {
		return pod.Annotations[key], nil
	}
	return "", fmt.Errorf("fieldPath %q is not supported by this node", path)
}

// subscript returns the key of a path like metadata.labels['key'].
func subscript(path, of string) (string, bool) {
	rest, ok := cut(path, of+"['", "']")
	return rest, ok
}

func isTrue(b *bool) bool { return b != nil && *b }
