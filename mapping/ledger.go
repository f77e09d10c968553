package mapping

import (
	"context"
	"strings"

	"gangway/core"
	"gangway/core/store"
)

// Message implements core.Ledger.
func (m *Map) Message(ctx context.Context, id core.MessageID) (core.Entry, error) {
	return m.findEntry(ctx, selectMessage, string(id))
}

// ByRemote implements core.Ledger. If both a message of the user's own and one received have the name, as with a mail
// to oneself, it is their own.
func (m *Map) ByRemote(ctx context.Context, account core.AccountID, remote core.RemoteID) (core.Entry, error) {
	return m.findEntry(ctx, selectByRemote, string(account), string(remote))
}

// ByOrigin implements core.Ledger.
func (m *Map) ByOrigin(ctx context.Context, account core.AccountID, originID string) (core.Entry, error) {
	return m.findEntry(ctx, selectByOrigin, string(account), originID)
}

func (m *Map) findEntry(ctx context.Context, query string, args ...any) (e core.Entry, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		e, err = scanEntry(tx.QueryRow(ctx, query, args...))
		return none(err, "message", "That message is not known here, or was sent too long ago.")
	})
	return e, fault("message", err)
}

func scanEntry(row store.Scanner) (e core.Entry, err error) {
	var mine int
	var parts string
	err = row.Scan(&e.ID, &e.Account, &e.Peer, &e.Origin.ID, &e.Origin.From, &e.Remote, &e.Thread, &mine, &e.State, &e.Whole, &parts)
	e.Mine = mine != 0
	for id := range strings.FieldsSeq(parts) {
		e.Parts = append(e.Parts, core.MessageID(id))
	}
	return e, err
}
