package xmpp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"gangway/core/xmpp"
	"gangway/core/xmpp/xmpptest"
)

// TestTLS reaches a server by direct TLS only if its certificate is right.
func TestTLS(t *testing.T) {
	srv := xmpptest.New(t)
	cert, pool := certificate(t)
	front := tlsFront(t, srv.Addr(), cert)
	link, err := xmpp.New(xmpp.Config{
		Server: front, Domain: domain, Secret: xmpptest.Secret, Router: echoRouter(), TLS: &tls.Config{MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		t.Fatal(err)
	}
	var unknown x509.UnknownAuthorityError
	if err := link.Check(t.Context()); !errors.As(err, &unknown) {
		t.Errorf("an unknown certificate: %v", err)
	}
	xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) {
		c.Server, c.TLS = front, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	})
	srv.Send(`<message from='a@b' to='x@irc.gw' id='1'><body>x</body></message>`)
	srv.Expect(`<message to='a@b' id='1'/>`)
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// tlsFront takes TLS connections and hands them on to addr in plain text.
func tlsFront(t *testing.T, addr string, cert tls.Certificate) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				back, err := net.Dial("tcp", addr)
				if err != nil {
					return
				}
				defer back.Close()
				go func() { _, _ = io.Copy(back, c); back.Close() }()
				_, _ = io.Copy(c, back)
			}()
		}
	}()
	return l.Addr().String()
}
