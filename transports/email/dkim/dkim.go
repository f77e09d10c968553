// Package dkim signs our mails (RFC 6376) and keeps the keys for that.
//
// Every mail gets two signatures: RSA with 2048 bits, which everybody can check, and Ed25519 (RFC 8463), for those who
// can. The keys of one generation are made together. A new generation is made beside the one that signs; when its public
// keys are in the DNS, it takes over. See Keys.
package dkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// Key is a private key, and the name under which its public key is in the DNS.
type Key struct {
	Selector string
	Signer   crypto.Signer
}

// signed are the fields that a signature holds fast: those that a reader sees, or that decide where a mail belongs. Each
// is there once more than it is in the mail, so that none can be added to it (RFC 6376 section 8.15).
func signed() []string {
	once := []string{
		"From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type",
		"Content-Transfer-Encoding", "Reply-To", "Sender",
	}
	return append(once, once...)
}

// Sign returns a mail with a signature of each key above it. The mail must have its line ends as CRLF. No key: the mail
// as it is.
func Sign(mail []byte, domain string, keys []Key) ([]byte, error) {
	var all bytes.Buffer
	for _, k := range keys {
		field, err := signature(mail, domain, k)
		if err != nil {
			return nil, fmt.Errorf("sign as %s: %w", k.Selector, err)
		}
		all.WriteString(field)
	}
	if all.Len() == 0 {
		return mail, nil
	}
	all.Write(mail)
	return all.Bytes(), nil
}

func signature(mail []byte, domain string, k Key) (string, error) {
	s, err := dkim.NewSigner(&dkim.SignOptions{
		Domain: domain, Selector: k.Selector, Signer: k.Signer, HeaderKeys: signed(),
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return "", err
	}
	if _, err := s.Write(mail); err != nil {
		_ = s.Close() // its goroutine ends with that
		return "", err
	}
	if err := s.Close(); err != nil {
		return "", err
	}
	return s.Signature(), nil
}

// Record is what a key's TXT record says (RFC 6376 section 3.6.1).
func Record(public crypto.PublicKey) (string, error) {
	switch p := public.(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(p)
		if err != nil {
			return "", err
		}
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(p), nil
	}
	return "", fmt.Errorf("a key of the type %T", public)
}

// Name is where a key's record is.
func Name(selector, domain string) string { return selector + "._domainkey." + domain }

// SameRecord says whether two records are of the same key.
func SameRecord(a, b string) bool {
	p := tag(a, "p")
	return p != "" && p == tag(b, "p") && kind(a) == kind(b)
}

func kind(record string) string {
	if k := tag(record, "k"); k != "" {
		return strings.ToLower(k)
	}
	return "rsa"
}

// tag is the value of a tag of a record, without blanks.
func tag(record, name string) string {
	for part := range strings.SplitSeq(record, ";") {
		k, v, ok := strings.Cut(part, "=")
		if ok && strings.TrimSpace(k) == name {
			return strings.Join(strings.Fields(v), "")
		}
	}
	return ""
}

// Lookup finds the strings of the TXT records of a name, each record in one.
type Lookup func(ctx context.Context, name string) ([]string, error)

// ErrNotPublished says that a key of the new generation is not in the DNS.
var ErrNotPublished = errors.New("not in the DNS yet")

// Published says whether all of these keys are in the DNS.
func Published(ctx context.Context, lookup Lookup, domain string, keys []Key) error {
	for _, k := range keys {
		want, err := Record(k.Signer.Public())
		if err != nil {
			return err
		}
		name := Name(k.Selector, domain)
		records, err := lookup(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w (%w)", name, ErrNotPublished, err)
		}
		found := false
		for _, r := range records {
			found = found || SameRecord(r, want)
		}
		if !found {
			return fmt.Errorf("%s: %w", name, ErrNotPublished)
		}
	}
	return nil
}
