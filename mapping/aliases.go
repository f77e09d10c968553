package mapping

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gangway/core"
	"gangway/core/store"
)

const (
	aliasPrefix = "x-"
	aliasBytes  = 10 // of the digest; 16 letters
	aliasSize   = 16384
	aliasTries  = 8                // addresses with one digest do not come about but by hard work
	aliasTime   = 10 * time.Second // for the table
	maxAliased  = 4096             // bytes of an address
)

const (
	selectAlias = `SELECT address FROM aliases WHERE network = ? AND alias = ?`
	insertAlias = `INSERT INTO aliases (network, alias, address) VALUES (?, ?, ?)`
)

// Aliases gives local parts to all addresses of a network: what no local part can hold gets one like
// "x-mfrggzdfmztwq2lk", which is the same for good and stands for that address only. An address that looks like an alias
// itself gets one, too, so that nobody can be taken for another.
//
// Its methods take no context: they are part of writing a JID. They read memory, and the table the first time.
type Aliases struct {
	m       *Map
	network string
}

// Aliases returns those of a network.
func (m *Map) Aliases(network string) *Aliases { return &Aliases{m, network} }

type aliasKey struct{ network, key string }

// LocalPart returns the local part for an address. Unlike the function of that name it refuses only what is no text.
// Unavailable if an alias cannot be written now.
func (a *Aliases) LocalPart(text string) (string, error) {
	local, why := LocalPart(text)
	if why == nil && !isAlias(local) {
		return local, nil
	}
	folded := Fold(text)
	if folded == "" || len(text) > maxAliased || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		if why == nil {
			why = core.E(core.Invalid, "mapping: alias", "That is not an address.")
		}
		return "", why
	}
	k := aliasKey{a.network, folded}
	alias, ok, generation := a.m.aliases.get(k)
	if ok {
		return alias, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), aliasTime)
	defer cancel()
	alias, err := a.find(ctx, text, folded)
	if err != nil {
		return "", fault("alias", err)
	}
	a.m.aliases.fill(generation, k, alias)
	return alias, nil
}

// find returns the alias that an address has, or gets.
func (a *Aliases) find(ctx context.Context, text, folded string) (alias string, err error) {
	look := func(tx *store.Tx) (free bool, err error) {
		for n := range aliasTries {
			alias = aliasOf(folded, n)
			var taken string
			err := tx.QueryRow(ctx, selectAlias, a.network, alias).Scan(&taken)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return true, nil
			case err != nil || Fold(taken) == folded:
				return false, err
			}
		}
		return false, core.E(core.Invalid, "mapping: alias", "That address cannot be told from others.")
	}
	free := false
	err = a.m.db.ReadOne(ctx, func(tx *store.Tx) (err error) {
		free, err = look(tx)
		return err
	})
	if err != nil || !free {
		return alias, err
	}
	err = a.m.db.Write(ctx, func(tx *store.Tx) error {
		free, err := look(tx)
		if err == nil && free {
			_, err = tx.Exec(ctx, insertAlias, a.network, alias, text)
		}
		return err
	})
	return alias, err
}

// Text returns the address that a local part stands for: in its exact case if it is an alias, else folded, as
// AddressText does. Unavailable if the table cannot be read now.
func (a *Aliases) Text(local string) (string, error) {
	alias := Fold(local)
	if !isAlias(alias) {
		return AddressText(local), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), aliasTime)
	defer cancel()
	text := AddressText(local) // an address that only looks so; its JID is another
	err := a.m.db.ReadOne(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, selectAlias, a.network, alias).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return text, fault("alias", err)
}

// aliasOf is the nth alias that an address may have.
func aliasOf(folded string, n int) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(n) + "\x00" + folded))
	return aliasPrefix + aliasEncoding().EncodeToString(sum[:aliasBytes])
}

func aliasEncoding() *base32.Encoding {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
}

func isAlias(local string) bool {
	letters, ok := strings.CutPrefix(local, aliasPrefix)
	if !ok || len(letters) != aliasBytes*8/5 {
		return false
	}
	return strings.Trim(letters, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// IsAlias says whether a bare or full JID is one that Aliases made of an address that no local part can hold.
func IsAlias(jid string) bool {
	local, _, ok := strings.Cut(jid, "@")
	return ok && isAlias(local)
}
