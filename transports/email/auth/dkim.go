package auth

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

const (
	maxSignatures = 5
	maxKeyText    = 2 << 10 // bytes of a key's record: an RSA key of 8192 bits fits, and one that is slow to use does not
)

// signed is a signature field of a mail.
type signed struct {
	field  int    // its place in the header
	domain string // d=
	also   bool   // it signs other signatures, too
}

// verifyDKIM checks the signatures of a mail, those of the From's own organisation first, and returns each outcome, in
// the order of checking.
func verifyDKIM(ctx context.Context, dns *bounded, m *message, from string) []Check {
	all := m.signatures()
	if m.long && len(all) > 0 {
		return []Check{{Policy, all[0].domain, "the header is too long"}}
	}
	slices.SortStableFunc(all, func(a, b signed) int {
		return order(!aligned(a.domain, from, false)) - order(!aligned(b.domain, from, false))
	})
	checks := make([]Check, 0, maxSignatures)
	for _, s := range all[:min(len(all), maxSignatures)] {
		if ctx.Err() != nil {
			checks = append(checks, Check{TempError, s.domain, "out of time"})
			continue
		}
		checks = append(checks, verifySignature(ctx, dns, m, s))
	}
	return checks
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}

// verifySignature checks one signature. The others are taken out of the mail meanwhile: the library checks all that it
// sees, in goroutines of its own, where a panic would end the program.
func verifySignature(ctx context.Context, dns *bounded, m *message, s signed) (c Check) {
	c = Check{Value: PermError, Domain: s.domain}
	if s.also {
		c.Value, c.Reason = Policy, "signs other signatures"
		return c
	}
	defer func() {
		if p := recover(); p != nil {
			c.Value, c.Reason = PermError, reason(fmt.Sprint("panic: ", p))
		}
	}()
	options := &dkim.VerifyOptions{MaxVerifications: 1, LookupTXT: func(name string) ([]string, error) {
		texts, err := dns.LookupTXT(ctx, name)
		return slices.DeleteFunc(texts, func(text string) bool { return len(text) > maxKeyText }), err
	}}
	found, err := dkim.VerifyWithOptions(m.withSignature(s.field), options)
	if err != nil || len(found) != 1 {
		c.Reason = "cannot be read"
		return c
	}
	switch err := found[0].Err; {
	case err == nil:
		c.Value = Pass
		return c
	case dkim.IsTempFail(err):
		c.Value = TempError
	case dkim.IsPermFail(err):
	default:
		c.Value = Fail
	}
	c.Reason = reason(strings.TrimPrefix(found[0].Err.Error(), "dkim: "))
	return c
}

// message is a mail as DKIM sees it: its header fields as they are, and all behind them.
type message struct {
	fields [][]byte // with their line ends; a line that is no field is one
	body   []byte   // with the empty line before it
	long   bool     // there may be fields in body
}

// maxFields bounds a header. No signature holds in a mail with a longer one: it may be of fields that nobody looks at.
const maxFields = 2000

// split takes a mail apart, as go-msgauth does.
func split(mail []byte) *message {
	m := &message{body: mail}
	for len(m.body) > 0 {
		if m.long = len(m.fields) == maxFields; m.long {
			return m
		}
		line := m.body
		if i := bytes.IndexByte(m.body, '\n'); i >= 0 {
			line = m.body[:i+1]
		}
		switch first := line[0]; {
		case first == '\n', string(line) == "\r\n":
			return m
		case (first == ' ' || first == '\t') && len(m.fields) > 0:
			last := len(m.fields) - 1
			m.fields[last] = m.fields[last][:len(m.fields[last])+len(line)]
		default:
			m.fields = append(m.fields, line)
		}
		m.body = m.body[len(line):]
	}
	return m
}

func fieldName(field []byte) string {
	name, _, _ := bytes.Cut(field, []byte(":"))
	return strings.ToLower(string(bytes.TrimSpace(name[:min(len(name), 100)])))
}

// count counts the fields of a name, which is in lower case.
func (m *message) count(name string) int {
	n := 0
	for _, f := range m.fields {
		if fieldName(f) == name {
			n++
		}
	}
	return n
}

// maxSignature is the most bytes of a signature field, and of what a library has to make sense of.
const maxSignature = 16 << 10

func (m *message) signatures() []signed {
	var all []signed
	for i, f := range m.fields {
		if fieldName(f) != "dkim-signature" || len(f) > maxSignature {
			continue
		}
		s := signed{field: i}
		_, value, _ := bytes.Cut(f, []byte(":"))
		for t := range strings.SplitSeq(string(value), ";") {
			name, value, _ := strings.Cut(t, "=")
			switch value = strings.Join(strings.Fields(value), ""); strings.TrimSpace(name) {
			case "d":
				if isHostname(value) {
					s.domain = lower(value)
				}
			case "h":
				s.also = slices.Contains(strings.Split(strings.ToLower(value), ":"), "dkim-signature")
			}
		}
		all = append(all, s)
	}
	return all
}

// withSignature is the mail with one signature only.
func (m *message) withSignature(field int) io.Reader {
	var header bytes.Buffer
	for i, f := range m.fields {
		if i == field || fieldName(f) != "dkim-signature" {
			header.Write(f)
		}
	}
	return io.MultiReader(&header, bytes.NewReader(m.body))
}
