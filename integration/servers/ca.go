package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// CA is a certificate authority for one test or one demo; its key never leaves the process.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes an authority that is valid for a day.
func NewCA() (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t, err := certificate("Gangway test authority")
	if err != nil {
		return nil, err
	}
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &CA{cert: cert, key: key}, nil
}

// PEM is the authority's certificate, for programs that read one from a file.
func (c *CA) PEM() []byte { return pemBlock("CERTIFICATE", c.cert.Raw) }

// WriteFile writes PEM where every user can read it.
func (c *CA) WriteFile(name string) error {
	return os.WriteFile(name, c.PEM(), 0o644) //nolint:gosec // a certificate is public
}

// Client is the TLS configuration of a client that trusts this authority and nobody else.
func (c *CA) Client(serverName string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(c.cert)
	return &tls.Config{RootCAs: pool, ServerName: serverName, MinVersion: tls.VersionTLS12}
}

// Issue makes a server certificate for the names, localhost and the loopback addresses, and returns it and its key as PEM.
func (c *CA) Issue(names ...string) (cert, key []byte, err error) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t, err := certificate("localhost")
	if err != nil {
		return nil, nil, err
	}
	t.DNSNames = append([]string{"localhost"}, names...)
	t.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, t, c.cert, priv.Public(), c.key)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, nil, err
	}
	return pemBlock("CERTIFICATE", der), pemBlock("PRIVATE KEY", pkcs8), nil
}

func certificate(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}, nil
}

func pemBlock(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// issue gives the server of this home a certificate, from ca or from a new authority, and returns that authority with
// the files' names.
func (h *home) issue(ca *CA, names ...string) (_ *CA, certFile, keyFile string, err error) {
	if ca == nil {
		if ca, err = NewCA(); err != nil {
			return nil, "", "", err
		}
	}
	cert, key, err := ca.Issue(names...)
	if err != nil {
		return nil, "", "", fmt.Errorf("issue a certificate: %w", err)
	}
	if certFile, err = h.write("cert.pem", cert); err != nil {
		return nil, "", "", err
	}
	if keyFile, err = h.write("key.pem", key); err != nil {
		return nil, "", "", err
	}
	return ca, certFile, keyFile, nil
}
