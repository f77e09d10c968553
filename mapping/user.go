package mapping

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// Export is everything that is kept about a user, but for secrets. Its JSON is what the user is given.
type Export struct {
	User        core.UserID           `json:"user"`
	Person      *core.Person          `json:"person,omitempty"`
	Preferences []ExportedPreferences `json:"preferences,omitempty"`
	Accounts    []ExportedAccount     `json:"accounts"`
	Owned       []ExportedAddress     `json:"addresses"`
	Invites     []Invite              `json:"invitations,omitempty"` // made by the user, and still good
}

// ExportedPreferences are what the user chose for a network.
type ExportedPreferences struct {
	Network string           `json:"network"`
	Chosen  core.Preferences `json:"chosen"`
}

// ExportedAccount is one account with what is kept for it.
type ExportedAccount struct {
	ID       core.AccountID    `json:"id"`
	Network  string            `json:"network"`
	Realm    string            `json:"realm,omitempty"`
	Own      core.Address      `json:"own,omitempty"`
	Name     string            `json:"name,omitempty"`
	Secret   bool              `json:"has_secret"`
	Options  map[string]string `json:"options,omitempty"`
	Created  time.Time         `json:"created"`
	Contacts []ExportedContact `json:"contacts"`
	Messages []ExportedMessage `json:"messages"`
}

// ExportedContact is a contact of an account.
type ExportedContact struct {
	Address core.Address `json:"address"`
	Name    string       `json:"name,omitempty"`
	Alias   string       `json:"alias,omitempty"`
	Blocked bool         `json:"blocked,omitempty"`
	Created time.Time    `json:"created"`
}

// ExportedMessage is what the ledger knows of a message: its names, not its text.
type ExportedMessage struct {
	ID     core.MessageID `json:"id"`
	Remote core.RemoteID  `json:"remote,omitempty"`
	Peer   core.Address   `json:"peer"`
	Thread core.ThreadID  `json:"thread,omitempty"`
	Mine   bool           `json:"mine"`
	State  string         `json:"state,omitempty"` // of the user's own
	At     time.Time      `json:"at"`
	// Changed is when it came into State; zero: not known.
	Changed time.Time `json:"changed,omitzero"`
}

// ExportedAddress is an address that the user has or had last.
type ExportedAddress struct {
	Network string       `json:"network"`
	Realm   string       `json:"realm,omitempty"`
	Address core.Address `json:"address"`
	Held    bool         `json:"held"`
	Since   time.Time    `json:"since"`
}

// Export returns everything that is kept about a user, and nothing about anybody else.
func (m *Map) Export(ctx context.Context, user core.UserID) (Export, error) {
	out := Export{User: user, Accounts: []ExportedAccount{}, Owned: []ExportedAddress{}}
	err := m.db.Read(ctx, func(tx *store.Tx) error {
		owned, err := collect(ctx, tx, scanOwned, selectOwnedOf, string(user))
		if err != nil {
			return err
		}
		for _, o := range owned {
			out.Owned = append(out.Owned, ExportedAddress{o.Network, o.Realm, o.Address, o.Account != "", o.Since})
		}
		out.Accounts, err = collect(ctx, tx, exportAccount, selectAccountsOf, string(user))
		if err != nil {
			return err
		}
		for i := range out.Accounts {
			if err := exportRows(ctx, tx, &out.Accounts[i]); err != nil {
				return err
			}
		}
		return m.exportPerson(ctx, tx, &out)
	})
	if err != nil {
		return Export{}, fault("export", err)
	}
	return out, nil
}

// exportPerson adds what is kept beside the accounts.
func (m *Map) exportPerson(ctx context.Context, tx *store.Tx, out *Export) error {
	p, err := findPerson(ctx, tx, out.User)
	if err != nil {
		return err
	}
	if p.Standing != core.Stranger {
		out.Person = &p
	}
	out.Preferences, err = collect(ctx, tx, func(row scanner) (e ExportedPreferences, err error) {
		var text string
		if err := row.Scan(&e.Network, &text); err != nil {
			return e, err
		}
		return e, json.Unmarshal([]byte(text), &e.Chosen)
	}, selectChosenOf, string(out.User))
	if err != nil {
		return err
	}
	invites, err := collect(ctx, tx, scanInvite, selectInvites, millis(m.now()))
	for _, i := range invites {
		if i.By == string(out.User) {
			out.Invites = append(out.Invites, i)
		}
	}
	return err
}

func exportAccount(row scanner) (ExportedAccount, error) {
	a, sealed, err := scanSealed(row)
	return ExportedAccount{ID: a.ID, Network: a.Network, Realm: a.Realm, Own: a.Own, Name: a.Name, Secret: sealed != nil,
		Options: a.Options, Created: a.Created, Contacts: []ExportedContact{}, Messages: []ExportedMessage{}}, err
}

// all is a LIMIT that is none.
const all = 1<<31 - 1

func exportRows(ctx context.Context, tx *store.Tx, a *ExportedAccount) error {
	contacts, err := collect(ctx, tx, scanContact, selectContacts, string(a.ID), "", all)
	if err != nil {
		return err
	}
	for _, c := range contacts {
		a.Contacts = append(a.Contacts, ExportedContact{c.Address, c.Name, c.Alias, c.Blocked, c.Created})
	}
	messages, err := collect(ctx, tx, exportMessage, selectLog, string(a.ID), 0, all)
	a.Messages = append(a.Messages, messages...)
	return err
}

func exportMessage(row scanner) (e ExportedMessage, err error) {
	var seq, at, changed int64
	var mine int
	var state core.State
	err = row.Scan(&seq, &e.ID, &e.Peer, &e.Remote, &e.Thread, &mine, &state, &at, &changed)
	if e.Mine = mine != 0; e.Mine {
		e.State = state.String()
	}
	e.At, e.Changed = fromMillis(at), fromMillis(changed)
	return e, err
}

// Erase removes a user: accounts, contacts, preferences, invitations made, the names of messages, that they were let in
// and by whom, and the user's name and addresses from the history of addresses. A retired address stays retired, though
// nobody can tell whose it was, nor read it; who is Suspended stays so, and nothing else is kept of them. NotFound if
// nothing is kept about the user.
func (m *Map) Erase(ctx context.Context, user core.UserID) error {
	accounts, err := m.accountIDs(ctx, user)
	if err != nil {
		return fault("erase", err)
	}
	for _, id := range accounts {
		if err := m.Unlink(ctx, id); err != nil && core.KindOf(err) != core.NotFound {
			return err
		}
	}
	var rows int64
	err = m.db.Write(ctx, func(tx *store.Tx) error {
		owned, err := eraseOwned(ctx, tx, user)
		if err != nil {
			return err
		}
		person, err := m.erasePerson(ctx, tx, user)
		rows = owned + person
		return err
	})
	if err == nil && rows == 0 && len(accounts) == 0 {
		return core.E(core.NotFound, "mapping: erase", "Nothing is kept about that user.")
	}
	return fault("erase", err)
}

func (m *Map) erasePerson(ctx context.Context, tx *store.Tx, user core.UserID) (rows int64, err error) {
	m.forgetPeople(tx, user)
	for _, query := range []string{erasePerson, blankPerson, eraseChosen, eraseInvites, eraseInviter} {
		n, err := tx.Exec(ctx, query, string(user))
		if err != nil {
			return 0, err
		}
		if query != blankPerson && query != eraseInviter {
			rows += n
		}
	}
	return rows, nil
}

// forgetPeople drops what is remembered of users when the transaction is committed. Whom they have invited says so too.
func (m *Map) forgetPeople(tx *store.Tx, users ...core.UserID) {
	tx.OnCommit(func() {
		m.people.forgetIf(func(core.UserID) bool { return true })
		m.chosen.forgetIf(func(k chosenKey) bool { return slices.Contains(users, k.user) })
	})
}

// accountIDs works also for accounts whose secrets cannot be opened.
func (m *Map) accountIDs(ctx context.Context, user core.UserID) (ids []core.AccountID, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		ids, err = collect(ctx, tx, func(row scanner) (core.AccountID, error) {
			a, _, err := scanSealed(row)
			return a.ID, err
		}, selectAccountsOf, string(user))
		return err
	})
	return ids, err
}

// Move gives everything of a user to a new name of theirs. NotFound if nothing is kept about the user; Invalid, with a
// sentence, if the new name has accounts, or is somebody who is suspended. What else was known of the new name, such as
// a request to be let in, gives way.
func (m *Map) Move(ctx context.Context, from, to core.UserID) error {
	if from == "" || to == "" || from == to {
		return core.E(core.Invalid, "mapping: move", "Moving a user needs two different names.")
	}
	return fault("move", m.db.Write(ctx, func(tx *store.Tx) error {
		scan := func(row scanner) (core.Account, error) {
			a, _, err := scanSealed(row)
			return a, err
		}
		taken, err := collect(ctx, tx, scan, selectAccountsOf, string(to))
		if err != nil {
			return err
		}
		if len(taken) > 0 {
			return core.E(core.Invalid, "mapping: move", "The new name has accounts of its own. Remove those first.")
		}
		moved, err := collect(ctx, tx, scan, selectAccountsOf, string(from))
		if err != nil {
			return err
		}
		if err := m.clearForMove(ctx, tx, from, to); err != nil {
			return err
		}
		var rows int64
		for _, query := range []string{updateAccountUser, updateOwnedUser, updateTenureUser, updatePersonUser,
			updateChosenUser, updateInviter, updateInviteUser} {
			n, err := tx.Exec(ctx, query, string(to), string(from))
			if err != nil {
				return err
			}
			rows += n
		}
		if rows == 0 {
			return core.E(core.NotFound, "mapping: move", "Nothing is kept about that user.")
		}
		tx.OnCommit(func() { m.cache.forget(moved...) })
		for _, a := range moved {
			if _, err := tx.Exec(ctx, updateOrigins, string(to), string(a.ID)); err != nil {
				return err
			}
			a.User = to
			m.changing(tx, a)
		}
		return nil
	}))
}

// clearForMove makes sure that nothing is in the way of from's rows under the name of to, unless to is to be kept out.
func (m *Map) clearForMove(ctx context.Context, tx *store.Tx, from, to core.UserID) error {
	m.forgetPeople(tx, from, to)
	there, err := findPerson(ctx, tx, to)
	if err != nil {
		return err
	}
	if there.Standing == core.Suspended {
		return core.E(core.Invalid, "mapping: move", "The new name is suspended. Resume it first.")
	}
	here, err := findPerson(ctx, tx, from)
	if err != nil {
		return err
	}
	queries := []string{eraseChosen}
	if here.Standing != core.Stranger {
		queries = append(queries, deletePerson)
	}
	for _, query := range queries {
		if _, err := tx.Exec(ctx, query, string(to)); err != nil {
			return err
		}
	}
	return nil
}
