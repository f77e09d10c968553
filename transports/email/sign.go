package email

import (
	"errors"
	"fmt"
	"strings"

	"gangway/core"
	"gangway/transports/email/dkim"
)

// dkimSettings say whether mail of the domain is signed.
type dkimSettings struct {
	// DKIM is the folder of the keys, which `gangway email dkim rotate` makes; "none": nothing is signed here, because the
	// relay does that. Without keys nothing is signed either.
	DKIM string `toml:"dkim_keys"`
}

const (
	defaultDKIM = "/var/lib/gangway/dkim"
	noDKIM      = "none"
)

// dkimKeys are the keys of a mail domain, as the settings name them; ok is false where nothing is to be signed.
func dkimKeys(s settings, wire string) (keys dkim.Keys, ok bool) {
	switch s.DKIM {
	case noDKIM:
		return dkim.Keys{}, false
	case "":
		s.DKIM = defaultDKIM
	}
	return dkim.Keys{Dir: s.DKIM, Domain: wire}, true
}

// configureDKIM makes the ring of keys.
func (t *transport) configureDKIM() {
	if keys, ok := dkimKeys(t.settings, t.wire); ok {
		t.ring = dkim.NewRing(keys, t.now)
	}
}

// sign signs a mail of the domain, if there are keys.
func (t *transport) sign(mail []byte) ([]byte, error) {
	if t.ring == nil {
		return mail, nil
	}
	signed, err := t.ring.Sign(mail)
	if err != nil {
		e := core.Wrap(core.Internal, "email: sign", err)
		e.Text = "The gateway cannot sign mail at the moment. It goes on trying."
		return nil, e
	}
	return signed, nil
}

// checkDKIM looks at the keys.
func (t *transport) checkDKIM() core.Finding {
	f := core.Finding{Name: "dkim"}
	keys, ok := dkimKeys(t.settings, t.wire)
	if !ok {
		f.Text = "mail is not signed here"
		return f
	}
	signing, err := keys.Signing()
	switch {
	case err != nil:
		f.Err, f.Text = fmt.Errorf("keys: %w", err), "see that the files are there and are the gateway's own"
	case len(signing) == 0:
		f.Err, f.Warn = errors.New("mail is not signed"), true
		f.Text = `make keys with "gangway email dkim rotate", or set dkim_keys = "none" if the relay signs`
	default:
		var names []string
		for _, k := range signing {
			names = append(names, k.Selector)
		}
		f.Text = "mail is signed as " + strings.Join(names, " and ")
	}
	return f
}
