package devcluster

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
)

// WriteServiceAccountKubeconfig writes a kubeconfig by which a program outside the cluster acts
// as a service account, with the rights its roles give it. config is the administrator's; the
// token is valid for the given time (at least 10 minutes), or until the account is deleted.
func WriteServiceAccountKubeconfig(ctx context.Context, config *rest.Config, namespace, account, path string, valid time.Duration) error {
	config = rest.CopyConfig(config)
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("kubeconfig of service account %s/%s: %w", namespace, account, err)
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(valid.Seconds()))}}
	token, err := api.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("token of service account %s/%s: %w", namespace, account, err)
	}
	if err := rest.LoadTLSFiles(config); err != nil {
		return fmt.Errorf("kubeconfig of service account %s/%s: %w", namespace, account, err)
	}
	const name = "devcluster"
	c := clientcmdapi.NewConfig()
	c.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	c.AuthInfos[account] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	c.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: account, Namespace: namespace}
	c.CurrentContext = name
	if err := clientcmd.WriteToFile(*c, path); err != nil {
		return fmt.Errorf("kubeconfig of service account %s/%s: %w", namespace, account, err)
	}
	return nil
}
