package irc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/irc/sasl"
)

// certificateFor is how long a client certificate is valid. Networks look at its fingerprint only.
const certificateFor = 20 * 365 * 24 * time.Hour

// credentials are what an account shows to its network: its Secret, sealed at rest. One that is nothing but a password
// is written as it is, as all were once.
type credentials struct {
	Password    string   `json:"password,omitempty"`    // SASL
	Server      string   `json:"server,omitempty"`      // PASS
	Certificate []byte   `json:"certificate,omitempty"` // DER
	Key         []byte   `json:"key,omitempty"`         // PKCS #8
	Commands    []string `json:"commands,omitempty"`    // lines to write when connected; they may have passwords in them
}

// structured stands before credentials that are more than a password; no password has a NUL.
const structured = "\x00json\x00"

func openCredentials(secret core.Secret) (credentials, error) {
	text, ok := bytes.CutPrefix(secret, []byte(structured))
	if !ok {
		return credentials{Password: string(secret)}, nil
	}
	var c credentials
	if err := json.Unmarshal(text, &c); err != nil {
		return c, core.Wrap(core.Internal, "irc: credentials", err)
	}
	return c, nil
}

func (c credentials) seal() (core.Secret, error) {
	if c.Server == "" && c.Certificate == nil && len(c.Commands) == 0 {
		if c.Password == "" {
			return nil, nil
		}
		return core.Secret(c.Password), nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, core.Wrap(core.Internal, "irc: credentials", err)
	}
	return append(core.Secret(structured), text...), nil
}

// login is what the account can log in with under a name.
func (c credentials) login(name string) sasl.Login {
	return sasl.Login{Name: name, Password: c.Password, Certificate: c.Certificate != nil}
}

// can says whether there is anything to log in with.
func (c credentials) can() bool { return c.Password != "" || c.Certificate != nil }

// identified returns settings with which a connection shows the certificate, if there is one.
func (c credentials) identified(config *tls.Config) (*tls.Config, error) {
	if config == nil || c.Certificate == nil {
		return config, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(c.Key)
	if err != nil {
		return nil, core.Wrap(core.Internal, "irc: client certificate", err)
	}
	config = config.Clone()
	config.Certificates = []tls.Certificate{{Certificate: [][]byte{c.Certificate}, PrivateKey: key}}
	return config, nil
}

// certify makes a key and a certificate of it.
func (c *credentials) certify(name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return core.Wrap(core.Internal, "irc: client certificate", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return core.Wrap(core.Internal, "irc: client certificate", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(certificateFor), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	if c.Certificate, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key); err != nil {
		return core.Wrap(core.Internal, "irc: client certificate", err)
	}
	if c.Key, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return core.Wrap(core.Internal, "irc: client certificate", err)
	}
	return nil
}

// fingerprints are what networks call a certificate by: SHA-256 and SHA-512, in hex.
func (c credentials) fingerprints() (short, long string) {
	one, two := sha256.Sum256(c.Certificate), sha512.Sum512(c.Certificate)
	return hex.EncodeToString(one[:]), hex.EncodeToString(two[:])
}

// commandLines are the lines of a text that are not empty.
func commandLines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}
