package email

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func withTLS(t *testing.T) func(*transport) {
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	return func(tr *transport) { tr.tls = config }
}

func TestStartTLS(t *testing.T) {
	g := start(t, nil, withTLS(t))
	d := g.dial(t, "smtp")
	d.expect("220")
	d.send("EHLO me")
	if got := d.expect("250"); strings.Count(got, "STARTTLS") != 1 {
		t.Fatalf("EHLO: %s", got)
	}
	d.send("starttls")
	d.expect("220")
	secure := tls.Client(d.Conn, &tls.Config{InsecureSkipVerify: true})
	d = &dialogue{t: t, Conn: secure, r: newReader(secure)}
	d.send("EHLO me")
	if got := d.expect("250"); strings.Contains(got, "STARTTLS") {
		t.Errorf("EHLO after TLS: %s", got)
	}
	d.transaction("bob@example.com", "alice@gw.example")
	_, _ = io.WriteString(d, "Subject: x\r\n\r\nencrypted\r\r\n.\r\n") // the guards see what is inside
	d.expect("250")
	g.host.WaitMessage("*x*\nencrypted")
	l := g.hello(t, "lmtp")
	l.send("STARTTLS")
	l.expect("502")
}

func TestStartTLSInjection(t *testing.T) {
	g := start(t, nil, withTLS(t))
	d := g.hello(t, "smtp")
	_, _ = io.WriteString(d, "STARTTLS\r\nMAIL FROM:<eve@example.com>\r\n")
	d.expect("554")
	d.ended()
}

func TestStartTLSIsNoTextOfAMail(t *testing.T) {
	g := start(t, nil, withTLS(t))
	d := g.hello(t, "smtp")
	d.transaction("bob@example.com", "alice@gw.example")
	d.send("Subject: x", "", "STARTTLS", ".")
	d.expect("250")
	g.host.WaitMessage("*x*\nSTARTTLS")
	long := g.hello(t, "smtp")
	_, _ = io.WriteString(long, "NOOP "+strings.Repeat("x", 5000)+"STARTTLS\r\n")
	long.expect("250")
	long.send("STARTTLS")
	long.expect("502")
}
