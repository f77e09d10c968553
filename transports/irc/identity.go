package irc

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"gangway/core"
	"gangway/transports/irc/ident"
)

// identityNote is where the key is kept from which users' words and addresses follow.
const identityNote = "identity key"

// identity is how networks tell the gateway's users apart: by the word that identd answers, by the address that they
// come from, or by what WEBIRC says.
type identity struct {
	words  *ident.Server
	prefix netip.Prefix // of the addresses; not valid: all users come from the gateway's own

	mu  sync.Mutex
	key []byte // nil: not read yet
}

// newIdentity checks what the configuration says.
func newIdentity(c *settings) (*identity, error) {
	id := &identity{words: ident.New()}
	if c.Ident != "" {
		if _, _, err := net.SplitHostPort(c.Ident); err != nil {
			return nil, errors.New(`ident: want an address to listen on, such as "0.0.0.0:113"`)
		}
	}
	if c.SourcePrefix == "" {
		return id, nil
	}
	p, err := netip.ParsePrefix(c.SourcePrefix)
	if err != nil || !p.Addr().Is6() || p.Addr().Is4In6() || p.Bits() < 32 || p.Bits() > 112 || p != p.Masked() || !p.Addr().IsGlobalUnicast() {
		return nil, fmt.Errorf(`source_prefix: want an IPv6 prefix of 32 to 112 bits that is routed here, such as "2001:db8:1:2::/64", not %q`, c.SourcePrefix)
	}
	id.prefix = p
	return id, nil
}

// secret reads the key, and makes it first if there is none.
func (t *transport) secret(ctx context.Context) ([]byte, error) {
	id := t.identity
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.key != nil {
		return id.key, nil
	}
	key, err := t.host.Notes().Get(ctx, identityNote)
	if err != nil && core.KindOf(err) != core.NotFound {
		return nil, err
	}
	if len(key) != sha256.Size {
		key = make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
		if err := t.host.Notes().Put(ctx, identityNote, key, 0); err != nil {
			return nil, err
		}
	}
	id.key = key
	return key, nil
}

// Identify implements core.Identifier: the word that identd and WEBIRC tell, with its name under webirc_host, and the
// user's own address.
func (t *transport) Identify(ctx context.Context, user core.UserID) ([]string, error) {
	key, err := t.secret(ctx)
	if err != nil {
		return nil, err
	}
	word, prefix := ident.Word(key, string(user)), t.identity.prefix
	if !prefix.IsValid() {
		prefix = private(key)
	}
	known := []string{word, addressIn(prefix, key, user).String()}
	if t.cfg.WebIRCHost != "" {
		known = append(known, word+"."+t.cfg.WebIRCHost)
	}
	return known, nil
}

// addressIn is a user's own address in a prefix: always the same, and nobody's who has not the key to tell.
func addressIn(p netip.Prefix, key []byte, user core.UserID) netip.Addr {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("address\x00" + user))
	bytes, sum := p.Addr().As16(), mac.Sum(nil)
	for i := p.Bits(); i < 128; i++ {
		bit := byte(0x80) >> (i % 8)
		bytes[i/8] = bytes[i/8]&^bit | sum[i/8]&bit
	}
	return netip.AddrFrom16(bytes)
}

// private is a prefix for addresses that are only told, where none is routed here (RFC 4193).
func private(key []byte) netip.Prefix {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("prefix"))
	var bytes [16]byte
	copy(bytes[:8], mac.Sum(nil))
	bytes[0] = 0xfd
	return netip.PrefixFrom(netip.AddrFrom16(bytes), 64)
}

// teller is what a network is told of the user, by WEBIRC.
type teller struct{ host, address string }

// identify returns the network as the user goes to it, and what it is told of them. release is to be called when the
// connection has ended.
func (s *session) identify(ctx context.Context, n *network) (as *network, told teller, release func(), err error) {
	id, cfg := s.t.identity, &s.t.cfg
	release = func() {}
	if cfg.Ident == "" && !id.prefix.IsValid() && n.webirc == "" {
		return n, told, release, nil
	}
	key, err := s.t.secret(ctx)
	if err != nil {
		return nil, told, release, err
	}
	word := ident.Word(key, string(s.account.User))
	mine := *n
	prefix := id.prefix
	if prefix.IsValid() {
		mine.source = addressIn(prefix, key, s.account.User)
	} else {
		prefix = private(key)
	}
	told.address = addressIn(prefix, key, s.account.User).String()
	if told.host = told.address; cfg.WebIRCHost != "" {
		told.host = word + "." + cfg.WebIRCHost
	}
	if cfg.Ident != "" {
		var mu sync.Mutex
		var removes []func()
		mine.dialing = id.words.Dialing
		mine.connected = func(conn net.Conn) {
			mu.Lock()
			defer mu.Unlock()
			removes = append(removes, id.words.Add(conn, word))
		}
		release = func() {
			mu.Lock()
			defer mu.Unlock()
			for _, remove := range removes {
				remove()
			}
		}
	}
	return &mine, told, release, nil
}

// answerIdent runs identd, if the configuration wants it.
func (t *transport) answerIdent(ctx context.Context) error {
	if t.cfg.Ident == "" {
		<-ctx.Done()
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", t.cfg.Ident)
	if err != nil {
		return fmt.Errorf("irc: ident: %w", err)
	}
	return t.identity.words.Run(ctx, l)
}
