// Package certs makes and loads the certificate of the session gateway. Its clients trust just this one: they have a copy of
// server.crt, as the sample clients of the API do.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Names of the files in a folder of Ensure.
const (
	CertFile = "server.crt"
	KeyFile  = "server.key"
)

// A certificate is copied to clients by hand: it lives long, and is made anew when a month of its life is left.
const (
	validity   = 10 * 365 * 24 * time.Hour
	clockSlack = time.Hour
	renewal    = 30 * 24 * time.Hour
)

// commonName and the names that go with it: clients are told to expect localhost, wherever the server is.
const commonName = "localhost"

// Load reads a certificate and its key, in PEM form.
func Load(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return cert, fmt.Errorf("certificate %s with key %s: %w", certFile, keyFile, err)
	}
	return cert, nil
}

// Ensure loads server.crt and server.key from a folder. When both are missing, or the certificate ends within a month of
// now, they are made first: for localhost, its addresses, and the names and addresses given.
func Ensure(dir string, now time.Time, names ...string) (tls.Certificate, error) {
	certFile, keyFile := filepath.Join(dir, CertFile), filepath.Join(dir, KeyFile)
	_, noCert := os.Stat(certFile)
	_, noKey := os.Stat(keyFile)
	if errors.Is(noCert, fs.ErrNotExist) != errors.Is(noKey, fs.ErrNotExist) {
		return tls.Certificate{}, fmt.Errorf("%s has only one of %s and %s: add the other one, or remove it and both are made", dir, CertFile, KeyFile)
	}
	if noCert == nil {
		cert, err := Load(certFile, keyFile)
		if err != nil || now.Before(cert.Leaf.NotAfter.Add(-renewal)) {
			return cert, err
		}
	}
	if err := create(certFile, keyFile, now, names); err != nil {
		return tls.Certificate{}, err
	}
	return Load(certFile, keyFile)
}

// create writes a new certificate and its key.
func create(certFile, keyFile string, now time.Time, names []string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("generate the gateway's key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fmt.Errorf("generate a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: commonName},
		NotBefore: now.Add(-clockSlack), NotAfter: now.Add(validity),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{commonName}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make the gateway's certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode the gateway's key: %w", err)
	}
	return errors.Join(
		write(keyFile, 0o600, "PRIVATE KEY", private),
		write(certFile, 0o644, "CERTIFICATE", cert),
	)
}

// write replaces a file as a whole.
func write(path string, mode fs.FileMode, kind string, der []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// Pool are the certificates of a PEM file.
func Pool(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", path)
	}
	return pool, nil
}
