package targetsession

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/genode-operator/genode-operator/api/v1alpha1"
	"github.com/genode-operator/genode-operator/internal/apply"
	"github.com/genode-operator/genode-operator/internal/target"
	"github.com/genode-operator/genode-operator/internal/target/agentapi"
)

// renewBefore is how long before their end credentials are replaced, which takes a new pod.
const renewBefore = 30 * 24 * time.Hour

// observeCredentials reads the agent's credentials; the API server itself is asked before they count as missing.
func (r *Reconciler) observeCredentials(ctx context.Context, s *scope) error {
	key := types.NamespacedName{Namespace: s.session.Namespace, Name: target.CredentialsSecret(s.session.Name)}
	var secret corev1.Secret
	err := r.client.Get(ctx, key, &secret)
	if apierrors.IsNotFound(err) {
		err = r.reader.Get(ctx, key, &secret)
	}
	switch {
	case apierrors.IsNotFound(err):
		s.renewCredentials = true
		return nil
	case err != nil:
		return fmt.Errorf("read Secret %s: %w", key.Name, err)
	case !metav1.IsControlledBy(&secret, s.session):
		s.taken = "Secret " + key.Name
		return nil
	}
	s.credentials = agentapi.Credentials{
		Token: string(secret.Data[target.TokenKey]), CertPEM: secret.Data[corev1.TLSCertKey], KeyPEM: secret.Data[corev1.TLSPrivateKeyKey],
	}
	s.renewCredentials = s.credentials.Token == "" || len(s.credentials.KeyPEM) == 0 || s.now.Add(renewBefore).After(notAfter(s.credentials.CertPEM))
	return nil
}

// notAfter is the end of a certificate; zero when it cannot be read.
func notAfter(certPEM []byte) time.Time {
	block, _ := pem.Decode(certPEM)
	if block == nil {
		return time.Time{}
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}
	}
	return cert.NotAfter
}

// makeCredentials makes the Secret, or renews what is in it.
func (r *Reconciler) makeCredentials(ctx context.Context, s *scope) error {
	made, err := agentapi.NewCredentials(s.now)
	if err != nil {
		return err
	}
	return apply.Object(ctx, r.client, credentialsSecret(s.session, made))
}

func credentialsSecret(session *v1alpha1.TargetSession, c agentapi.Credentials) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name: target.CredentialsSecret(session.Name), Namespace: session.Namespace,
			Labels:          map[string]string{v1alpha1.LabelSession: session.Name},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(session, v1alpha1.GroupVersion.WithKind("TargetSession"))},
		},
		Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{target.TokenKey: []byte(c.Token), corev1.TLSCertKey: c.CertPEM, corev1.TLSPrivateKeyKey: c.KeyPEM},
	}
}
