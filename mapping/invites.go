package mapping

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// Invite is an invitation as it can be listed. Its token is shown once, by NewInvite.
type Invite struct {
	ID      string    `json:"id"`                // names it; no help in guessing the token
	Network string    `json:"network,omitempty"` // good for this one only; empty: for any
	By      string    `json:"by,omitempty"`      // who made it
	Note    string    `json:"note,omitempty"`
	Uses    int       `json:"uses"` // how many people it still lets in
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

const (
	tokenBytes  = 20 // 160 random bits: 32 characters of base32
	inviteBytes = 5
	maxUses     = 100_000
	maxInvites  = 10_000
	maxNote     = 300 // bytes
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// newToken returns a new token, as it is written for people: four groups of eight characters of a-z and 2-7.
func newToken() string {
	b := make([]byte, tokenBytes)
	_, _ = rand.Read(b) // it never fails
	s := strings.ToLower(base32Text.EncodeToString(b))
	return s[:8] + "-" + s[8:16] + "-" + s[16:24] + "-" + s[24:]
}

// tokenHash is what is kept of a token. Case, blanks and dashes do not matter; nil for what cannot be one. A hash
// without salt or work will do for 160 random bits.
func tokenHash(token string) []byte {
	if len(token) > 200 {
		return nil
	}
	plain := strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == ' ' || r == '\t' || r == '\r' || r == '\n':
			return -1
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, token)
	b, err := base32Text.DecodeString(plain)
	if err != nil || len(b) != tokenBytes {
		return nil
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// NewInvite makes an invitation from Network, By, Note, Uses (0: one) and Expires, and returns its token, which cannot
// be had again. Invalid, with a sentence, if it makes no sense.
func (m *Map) NewInvite(ctx context.Context, in Invite) (token string, made Invite, err error) {
	now := fromMillis(millis(m.now()))
	if in.Uses == 0 {
		in.Uses = 1
	}
	switch {
	case in.Uses < 0 || in.Uses > maxUses:
		return "", Invite{}, core.E(core.Invalid, "mapping: invite", "An invitation is for 1 to 100000 people.")
	case !in.Expires.IsZero() && !in.Expires.After(now):
		return "", Invite{}, core.E(core.Invalid, "mapping: invite", "That invitation would be over already.")
	case len(in.Note) > maxNote:
		return "", Invite{}, core.E(core.Invalid, "mapping: invite", "The note is too long.")
	}
	id := make([]byte, inviteBytes)
	_, _ = rand.Read(id)
	in.ID, in.Created = strings.ToLower(base32Text.EncodeToString(id)), now
	token = newToken()
	err = m.db.Write(ctx, func(tx *store.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, countInvites).Scan(&n); err != nil {
			return err
		}
		if n >= maxInvites {
			return core.E(core.OverLimit, "mapping: invite", "There are too many invitations. Revoke some first.")
		}
		_, err := tx.Exec(ctx, insertInvite, in.ID, tokenHash(token), in.Network, in.By, in.Note, in.Uses,
			millis(in.Created), millis(in.Expires))
		return err
	})
	if err != nil {
		return "", Invite{}, fault("invite", err)
	}
	return token, in, nil
}

// Invites returns the invitations that are still good, the oldest first.
func (m *Map) Invites(ctx context.Context) (all []Invite, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(ctx, tx, scanInvite, selectInvites, millis(m.now()))
		return err
	})
	return all, fault("invites", err)
}

func scanInvite(row store.Scanner) (i Invite, err error) {
	var created, expires int64
	err = row.Scan(&i.ID, &i.Network, &i.By, &i.Note, &i.Uses, &created, &expires)
	i.Created, i.Expires = fromMillis(created), fromMillis(expires)
	return i, err
}

// RevokeInvite makes an invitation worthless. Whom it has let in stays. NotFound if there is none.
func (m *Map) RevokeInvite(ctx context.Context, id string) error {
	return fault("revoke invite", m.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(ctx, deleteInvite, strings.ToLower(id))
		if err == nil && n == 0 {
			return core.E(core.NotFound, "mapping: revoke invite", "There is no such invitation.")
		}
		return err
	}))
}

// Redeem implements core.People. Who is Registered already uses nothing up.
func (m *Map) Redeem(ctx context.Context, user core.UserID, network, token string) (p core.Person, err error) {
	hash := tokenHash(token)
	err = m.db.Write(ctx, func(tx *store.Tx) error {
		before, err := findPerson(ctx, tx, user)
		if err != nil {
			return err
		}
		switch p = before; before.Standing {
		case core.Suspended:
			return core.E(core.Denied, "mapping: redeem", "Your access to this gateway is suspended. Ask its administrator.")
		case core.Registered:
			return nil
		}
		var by string
		if hash == nil {
			return noInvite()
		}
		err = tx.QueryRow(ctx, useInvite, hash, network, millis(m.now())).Scan(&by)
		if errors.Is(err, sql.ErrNoRows) {
			return noInvite()
		}
		if err != nil {
			return err
		}
		p.Standing, p.InvitedBy, p.Note = core.Registered, by, ""
		return m.writePerson(ctx, tx, before, &p)
	})
	if err != nil {
		return core.Person{}, fault("redeem", err)
	}
	return p, nil
}

// noInvite is the one answer to a token that is not good, whatever the reason.
func noInvite() error {
	return core.E(core.NotFound, "mapping: redeem", "That is no invitation, or it is not good any more.")
}
