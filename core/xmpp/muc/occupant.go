package muc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"hash"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// occupantID names somebody in this room (XEP-0421): the same for as long as the network knows them by the same name,
// another one in every other room, and nothing that who and where could be read from.
func (rm *room) occupantID(person, nick string) string {
	sum := rm.rooms.mac("occupant", rm.jid, orElse(person, nick))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16])
}

// keyed is a digest with the Secret, and what it needs of memory.
type keyed struct {
	hash.Hash
	text []byte
	sum  [sha256.Size]byte
}

// mac is a keyed digest of words, none of which but the last may hold a NUL.
func (r *Rooms) mac(words ...string) [sha256.Size]byte {
	k, ok := r.macs.Get().(*keyed)
	if !ok {
		k = &keyed{Hash: hmac.New(sha256.New, r.cfg.Secret)}
	}
	defer r.macs.Put(k)
	k.Reset()
	k.text = k.text[:0]
	for i, w := range words {
		if i > 0 {
			k.text = append(k.text, 0)
		}
		k.text = append(k.text, w...)
	}
	k.Write(k.text)
	k.Sum(k.sum[:0])
	return k.sum
}

func (rm *room) writeOccupantID(enc *stream.Encoder, person, nick string) {
	enc.Empty("occupant-id", NSOccupant, "id", rm.occupantID(person, nick))
}

// hats are what a member is beyond their rank (XEP-0317): logged in to an account, an operator of the network.
func hats(enc *stream.Encoder, m core.Member) {
	if m.Account == "" && !m.Staff {
		return
	}
	enc.Start("hats", nsHats)
	if m.Staff {
		enc.Empty("hat", "", "title", "network operator", "uri", "urn:gangway:hats:operator", "xml:lang", "en")
	}
	if m.Account != "" {
		enc.Empty("hat", "", "title", "logged in as "+m.Account, "uri", "urn:gangway:hats:account", "xml:lang", "en")
	}
	enc.End()
}
