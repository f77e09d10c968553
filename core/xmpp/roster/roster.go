package roster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Gateway is what the roster asks of the hall.
type Gateway interface {
	Allowed(user core.UserID) bool
	Status(id core.AccountID) core.Status
}

// Accounts is the mapping's table as far as it is needed here: see core.Accounts.
type Accounts interface {
	// AccountsOf returns the user's accounts on all networks.
	AccountsOf(ctx context.Context, user core.UserID) ([]core.Account, error)
	Accounts(ctx context.Context, network string) ([]core.Account, error)
	AccountOf(ctx context.Context, user core.UserID, network, realm string) (core.Account, error)
}

// Roster is the presence of all domains.
type Roster struct {
	gateway  Gateway
	accounts Accounts
	health   health

	domains map[*edge.Domain]*disco.Handler
}

var _ edge.Renderer = (*Roster)(nil)

// New makes a Roster without domains. It starts nothing.
func New(g Gateway, a Accounts) *Roster {
	return &Roster{gateway: g, accounts: a, health: newHealth(), domains: map[*edge.Domain]*disco.Handler{}}
}

// On adds a domain, whose capabilities dh answers for, and returns the handler of
// its presence. All calls come before anything is rendered.
func (r *Roster) On(d *edge.Domain, dh *disco.Handler) *Handler {
	r.domains[d] = dh
	return &Handler{r: r, domain: d, disco: dh}
}

// Render implements edge.Renderer.
func (r *Roster) Render(_ context.Context, enc *stream.Encoder, d *edge.Domain, a core.Account, ev core.Event) error {
	dh := r.domains[d]
	if dh == nil {
		return core.E(core.Internal, "roster: render", "")
	}
	if st, ok := ev.(*core.Status); ok {
		r.status(enc, d, dh, a, st)
		return nil
	}
	contact, err := d.Contact(a.Realm, ev.Where().Peer)
	if err != nil {
		return err
	}
	switch ev := ev.(type) {
	case *core.Presence:
		contactPresence(enc, contact, string(a.User), dh.ContactVer(), ev)
	case *core.Profile:
		account, _, _ := strings.Cut(contact, "/") // PEP speaks for the account, not for a client
		profile(enc, account, string(a.User), ev)
	default:
		return core.E(core.Unsupported, "roster: render", "")
	}
	return nil
}

// status shows what became of an account's connection, if that is news.
func (r *Roster) status(enc *stream.Encoder, d *edge.Domain, dh *disco.Handler, a core.Account, st *core.Status) {
	trouble, known := troubleOf(a, st)
	if !known {
		return
	}
	line, changed := r.health.set(d.Name, a, trouble)
	if !changed {
		return
	}
	writeGateway(enc, d, dh, string(a.User), line)
	if st.Link == core.Refused {
		statusNotice(enc, d, string(a.User), trouble+` Send "register" to change what it logs in with.`)
	}
}

// writeGateway writes the gateway's presence to one user: away for long, with
// the reason, while something is wrong.
func writeGateway(enc *stream.Encoder, d *edge.Domain, dh *disco.Handler, to, trouble string) {
	show := ""
	if trouble != "" {
		show = "xa"
	}
	writePresence(enc, d.Name, to, show, trouble, dh.GatewayVer())
}

// Announce sends the gateway's presence to every registered user of a domain.
// Call it when the link is online for the first time.
func (r *Roster) Announce(ctx context.Context, d *edge.Domain) error {
	dh := r.domains[d]
	return r.toAll(ctx, d, func(enc *stream.Encoder, user core.UserID) {
		writeGateway(enc, d, dh, string(user), r.health.line(d.Name, user))
	})
}

// Withdraw sends every registered user that the gateway is gone. Call it before
// the link is stopped.
func (r *Roster) Withdraw(ctx context.Context, d *edge.Domain) error {
	return r.toAll(ctx, d, func(enc *stream.Encoder, user core.UserID) {
		writeKind(enc, "unavailable", d.Name, string(user))
	})
}

const (
	perWrite  = 50                     // presences that are queued at once
	whileFull = 100 * time.Millisecond // between attempts while the host server does not read
)

// toAll writes to each user of the domain once, as fast as the link takes it.
func (r *Roster) toAll(ctx context.Context, d *edge.Domain, fn func(*stream.Encoder, core.UserID)) error {
	accounts, err := r.accounts.Accounts(ctx, d.Network.Driver.Name)
	if err != nil {
		return fmt.Errorf("roster: users of %s: %w", d.Name, err)
	}
	var users []core.UserID
	seen := map[core.UserID]bool{}
	for _, a := range accounts {
		if !seen[a.User] {
			seen[a.User] = true
			users = append(users, a.User)
		}
	}
	for len(users) > 0 {
		some := users[:min(perWrite, len(users))]
		err := d.Link.Write(func(enc *stream.Encoder) {
			for _, u := range some {
				fn(enc, u)
			}
		})
		switch {
		case err == nil:
			users = users[len(some):]
		case !errors.Is(err, xmpp.ErrFull):
			return fmt.Errorf("roster: presence: %w", err)
		case !sleep(ctx, whileFull):
			return ctx.Err()
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
