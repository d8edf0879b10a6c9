package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// validity of every certificate: long, because nobody rotates those of a development cluster.
const validity = 10 * 365 * 24 * time.Hour

// nodeName is the name of the node whose certificates are made here.
const nodeName = "local"

// certificate says what a certificate of the cluster is for.
type certificate struct {
	file  string // base name; .crt and .key are appended
	name  string // common name; for clients the user's name
	group string // organisation; for clients the user's group
	serve bool   // for a server at the cluster's address rather than for a client
}

// certificates of the cluster. The names and groups of the clients are those to which the API
// server's built-in roles give their rights.
var certificates = []certificate{
	{file: "apiserver", name: "kube-apiserver", serve: true},
	{file: "kubelet", name: "kubelet", serve: true},
	{file: "kubelet-client", name: "kube-apiserver-kubelet-client"},
	{file: "admin", name: "devcluster-admin", group: "system:masters"},
	{file: "controller-manager", name: "system:kube-controller-manager"},
	{file: "scheduler", name: "system:kube-scheduler"},
	{file: "node", name: "system:node:" + nodeName, group: "system:nodes"},
	{file: "proxy", name: "system:kube-proxy"},
}

// kubeconfigs maps a file of the state directory to the certificate it authenticates with.
var kubeconfigs = map[string]string{
	"kubeconfig":                    "admin",
	"controller-manager.kubeconfig": "controller-manager",
	"scheduler.kubeconfig":          "scheduler",
	"node.kubeconfig":               "node",
	"proxy.kubeconfig":              "proxy",
}

func (c *cluster) pki(name string) string { return filepath.Join(c.dir, "pki", name) }

// writeKeys makes the keys and certificates that do not exist yet, and all kubeconfigs anew,
// since the port may have changed.
func (c *cluster) writeKeys() error {
	if err := os.MkdirAll(c.pki(""), 0o700); err != nil {
		return fmt.Errorf("make the folder of keys: %w", err)
	}
	if err := writeServiceAccountKey(c.pki("sa.key"), c.pki("sa.pub")); err != nil {
		return fmt.Errorf("make the key of service account tokens: %w", err)
	}
	ca, caKey, err := c.authority()
	if err != nil {
		return fmt.Errorf("certificate authority in %s: %w; remove the state directory to begin anew", c.pki(""), err)
	}
	for _, want := range certificates {
		if c.stands(want) {
			continue
		}
		if err := issue(c.pki(want.file), c.template(want), ca, caKey); err != nil {
			return fmt.Errorf("make certificate %s: %w", want.file, err)
		}
	}
	for file, user := range kubeconfigs {
		if err := c.writeKubeconfig(c.path(file), user); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
	}
	return nil
}

// authority loads the cluster's certificate authority, or makes it.
func (c *cluster) authority() (*x509.Certificate, crypto.Signer, error) {
	if !exists(c.pki("ca.crt")) {
		t := &x509.Certificate{
			Subject: pkix.Name{CommonName: "genode-operator devcluster"}, IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if err := issue(c.pki("ca"), t, nil, nil); err != nil {
			return nil, nil, err
		}
	}
	certDER, err := readPEM(c.pki("ca.crt"))
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(certDER)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := readPEM(c.pki("ca.key"))
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParseECPrivateKey(keyDER)
	return cert, key, err
}

// stands is true for a certificate that exists, with its key, which is written first, and is good for the
// cluster's address.
func (c *cluster) stands(want certificate) bool {
	der, err := readPEM(c.pki(want.file + ".crt"))
	if err != nil {
		return false
	}
	cert, err := x509.ParseCertificate(der)
	return err == nil && (!want.serve || cert.VerifyHostname(c.address.Addr().String()) == nil)
}

func (c *cluster) template(want certificate) *x509.Certificate {
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: want.name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if want.group != "" {
		t.Subject.Organization = []string{want.group}
	}
	if want.serve {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		t.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
		t.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1), c.address.Addr().AsSlice()}
	}
	return t
}

// issue writes base.key and then base.crt, signed by the authority or, without one, by itself.
func issue(base string, t, ca *x509.Certificate, caKey crypto.Signer) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return err
	}
	t.NotBefore = time.Now().Add(-time.Hour) // tolerate clocks set back a little
	t.NotAfter = t.NotBefore.Add(validity)
	if ca == nil {
		ca, caKey = t, key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(base+".key", "EC PRIVATE KEY", keyDER); err != nil {
		return err
	}
	return writePEM(base+".crt", "CERTIFICATE", der)
}

// writeServiceAccountKey makes the key pair that signs and verifies service account tokens.
func writeServiceAccountKey(private, public string) error {
	if exists(public) {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := writePEM(private, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)); err != nil {
		return err
	}
	return writePEM(public, "PUBLIC KEY", pub)
}

// writeKubeconfig writes a self-contained kubeconfig: authority, certificate and key inline.
func (c *cluster) writeKubeconfig(path, user string) error {
	var data [3][]byte
	for i, name := range []string{"ca.crt", user + ".crt", user + ".key"} {
		b, err := os.ReadFile(c.pki(name))
		if err != nil {
			return err
		}
		data[i] = b
	}
	const name = "devcluster"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: c.url(), CertificateAuthorityData: data[0]}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: data[1], ClientKeyData: data[2]}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: user, Namespace: "default"}
	config.CurrentContext = name
	b, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	return writeFile(path, b)
}

func writePEM(path, kind string, der []byte) error {
	return writeFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func readPEM(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New(path + " holds no PEM block")
	}
	return block.Bytes, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
