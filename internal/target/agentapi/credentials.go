package agentapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Validity of a certificate. It is pinned and lives as long as its target, so a short one would only add
// a way to fail.
const (
	clockSlack = time.Hour
	validity   = 10 * 365 * 24 * time.Hour
)

// Credentials are the secrets of one target: what its agent proves itself with, and what it asks for.
type Credentials struct {
	Token   string // bearer token, 43 characters
	CertPEM []byte // self-signed certificate
	KeyPEM  []byte // its private key
}

// NewCredentials makes a random token and a self-signed certificate that is valid for ten years from now on.
func NewCredentials(now time.Time) (Credentials, error) {
	var token [32]byte
	_, _ = rand.Read(token[:]) // never fails
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Credentials{}, fmt.Errorf("generate the agent's key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return Credentials{}, fmt.Errorf("generate a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "genode-operator agent"},
		NotBefore:    now.Add(-clockSlack),
		NotAfter:     now.Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Credentials{}, fmt.Errorf("make the agent's certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Credentials{}, fmt.Errorf("encode the agent's key: %w", err)
	}
	return Credentials{
		Token:   base64.RawURLEncoding.EncodeToString(token[:]),
		CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		KeyPEM:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}, nil
}

// Fingerprint is the SHA-256 of the certificate in hex digits, and empty when there is none.
func (c Credentials) Fingerprint() string {
	sum, err := fingerprint(c.CertPEM)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(sum[:])
}

// fingerprint is the SHA-256 of the first certificate in a PEM file.
func fingerprint(certPEM []byte) ([sha256.Size]byte, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil || block.Type != "CERTIFICATE" {
		return [sha256.Size]byte{}, errors.New("tls.crt holds no certificate in PEM form")
	}
	return sha256.Sum256(block.Bytes), nil
}
