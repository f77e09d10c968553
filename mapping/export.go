package mapping

import (
	"context"
	"encoding/json"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// The records of an export. Their JSON is what the user is given; its names are never used for something else.
type (
	// ExportedPreferences are what the user chose for a network.
	ExportedPreferences struct {
		Network string           `json:"network"`
		Chosen  core.Preferences `json:"chosen"`
	}
	// ExportedAccount is one account.
	ExportedAccount struct {
		ID      core.AccountID    `json:"id"`
		Network string            `json:"network"`
		Realm   string            `json:"realm,omitempty"`
		Own     core.Address      `json:"own,omitempty"`
		Name    string            `json:"name,omitempty"`
		Secret  bool              `json:"has_secret"` // there is one; it is not shown
		Options map[string]string `json:"options,omitempty"`
		Created time.Time         `json:"created"`
	}
	// ExportedContact is a contact of an account.
	ExportedContact struct {
		Account core.AccountID `json:"account"`
		Address core.Address   `json:"address"`
		Name    string         `json:"name,omitempty"`
		Alias   string         `json:"alias,omitempty"`
		Blocked bool           `json:"blocked,omitempty"`
		Listed  bool           `json:"listed,omitempty"`
		Created time.Time      `json:"created"`
	}
	// ExportedMessage is what the ledger knows of a message of an account: its names, not its text.
	ExportedMessage struct {
		Account core.AccountID `json:"account"`
		ID      core.MessageID `json:"id"`
		Remote  core.RemoteID  `json:"remote,omitempty"`
		Peer    core.Address   `json:"peer"`
		Thread  core.ThreadID  `json:"thread,omitempty"`
		Mine    bool           `json:"mine"`
		State   string         `json:"state,omitempty"` // of the user's own
		At      time.Time      `json:"at"`
		Changed time.Time      `json:"changed,omitzero"` // when it came into State; left out: not known
	}
	// ExportedAddress is an address that the user has or had last.
	ExportedAddress struct {
		Network string       `json:"network"`
		Realm   string       `json:"realm,omitempty"`
		Address core.Address `json:"address"`
		Held    bool         `json:"held"`
		Since   time.Time    `json:"since"`
	}
)

// exportPage is how many rows are read at once.
const exportPage = 500

// Export gives yield everything that is kept about a user, but for secrets, and nothing about anybody else, one record
// after the other. kind is "person", "preferences", "invitation", "address", "account", "contact", "message" or "request"; an
// account comes before what belongs to it. No transaction is open while yield runs, which may take its time: what
// changes meanwhile may be in or not. An error of yield ends it and is returned.
func (m *Map) Export(ctx context.Context, user core.UserID, yield func(kind string, record any) error) error {
	person, accounts, err := m.exportPerson(ctx, user)
	if err != nil {
		return fault("export", err)
	}
	for _, r := range person {
		if err := yield(r.kind, r.value); err != nil {
			return err
		}
	}
	for _, a := range accounts {
		if err := yield("account", a); err != nil {
			return err
		}
		if err := m.exportContacts(ctx, a.ID, yield); err != nil {
			return err
		}
		if err := m.exportMessages(ctx, a.ID, yield); err != nil {
			return err
		}
		if err := m.exportRequests(ctx, a.ID, yield); err != nil {
			return err
		}
	}
	return nil
}

type record struct {
	kind  string
	value any
}

// exportPerson reads the accounts, and what is kept beside them: as much as one person has.
func (m *Map) exportPerson(ctx context.Context, user core.UserID) (out []record, accounts []ExportedAccount, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		p, err := findPerson(ctx, tx, user)
		if err != nil {
			return err
		}
		if p.Standing != core.Stranger {
			out = append(out, record{"person", p})
		}
		chosen, err := store.Collect(ctx, tx, exportChosen, selectChosenOf, string(user))
		if err != nil {
			return err
		}
		for _, c := range chosen {
			out = append(out, record{"preferences", c})
		}
		invites, err := store.Collect(ctx, tx, scanInvite, selectInvites, millis(m.now()))
		if err != nil {
			return err
		}
		for _, i := range invites {
			if i.By == string(user) {
				out = append(out, record{"invitation", i})
			}
		}
		owned, err := store.Collect(ctx, tx, scanOwned, selectOwnedOf, string(user))
		if err != nil {
			return err
		}
		for _, o := range owned {
			out = append(out, record{"address", ExportedAddress{o.Network, o.Realm, o.Address, o.Account != "", o.Since}})
		}
		accounts, err = store.Collect(ctx, tx, exportAccount, selectAccountsOf, string(user))
		return err
	})
	return out, accounts, err
}

func exportChosen(row store.Scanner) (e ExportedPreferences, err error) {
	var text string
	if err := row.Scan(&e.Network, &text); err != nil {
		return e, err
	}
	return e, json.Unmarshal([]byte(text), &e.Chosen)
}

func exportAccount(row store.Scanner) (ExportedAccount, error) {
	a, sealed, err := scanSealed(row)
	return ExportedAccount{ID: a.ID, Network: a.Network, Realm: a.Realm, Own: a.Own, Name: a.Name, Secret: sealed != nil,
		Options: a.Options, Created: a.Created}, err
}

func (m *Map) exportContacts(ctx context.Context, account core.AccountID, yield func(string, any) error) error {
	for after := core.Address(""); ; {
		page, err := m.Contacts(ctx, account, after, exportPage)
		if err != nil {
			return err
		}
		for _, c := range page {
			after = c.Address
			err := yield("contact", ExportedContact{account, c.Address, c.Name, c.Alias, c.Blocked, c.Listed, c.Created})
			if err != nil {
				return err
			}
		}
		if len(page) == 0 {
			return nil
		}
	}
}

func (m *Map) exportMessages(ctx context.Context, account core.AccountID, yield func(string, any) error) error {
	var after int64
	scan := func(row store.Scanner) (e ExportedMessage, err error) {
		var at, changed int64
		var mine int
		var state core.State
		err = row.Scan(&after, &e.ID, &e.Peer, &e.Remote, &e.Thread, &mine, &state, &at, &changed)
		if e.Mine = mine != 0; e.Mine {
			e.State = state.String()
		}
		e.Account, e.At, e.Changed = account, fromMillis(at), fromMillis(changed)
		return e, err
	}
	for {
		var page []ExportedMessage
		err := m.db.Read(ctx, func(tx *store.Tx) (err error) {
			page, err = store.Collect(ctx, tx, scan, selectLog, string(account), after, exportPage)
			return err
		})
		if err != nil {
			return fault("export", err)
		}
		for _, e := range page {
			if err := yield("message", e); err != nil {
				return err
			}
		}
		if len(page) == 0 {
			return nil
		}
	}
}
