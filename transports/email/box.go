package email

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"gangway/core"
	"gangway/transports/email/discover"
	"gangway/transports/email/mailbox"
	"gangway/transports/email/oauth"
)

// box is what a session has whose account is a mailbox elsewhere: mail comes by IMAP (boxin.go) and goes through the
// mailbox's own submission server (boxout.go). It is safe for concurrent use.
type box struct {
	t       *transport
	account core.Account
	own     address
	mail    *mailbox.Box
	carrier carrier
	tokens  *tokens // nil: a password

	consumed chan mailbox.Ref // see consume

	mu sync.Mutex // over what is noted as not read: see read.go
}

// box is what a session has whose account is a mailbox elsewhere; nil: none.
func (s *session) box() *box {
	b, _ := s.via.(*box)
	return b
}

// openBox makes the box of an account.
func (t *transport) openBox(a core.Account, own address) (*box, error) {
	if t.boxes == nil || !t.linkable(own.wire) {
		return nil, core.E(core.Denied, "email: open", "This gateway does not link mailboxes at "+own.domain+" any more.")
	}
	imap, err := parseServer("imap", a.Options[optionIMAP])
	if err != nil {
		return nil, core.Wrap(core.Internal, "email: open", err)
	}
	smtp, err := parseServer("smtp", a.Options[optionSMTP])
	if err != nil {
		return nil, core.Wrap(core.Internal, "email: open", err)
	}
	b := &box{t: t, account: a, own: own, consumed: make(chan mailbox.Ref, maxConsumed)}
	login, err := b.credentials()
	if err != nil {
		return nil, err
	}
	b.tokens = login.tokens
	b.carrier = t.boxCarrier(smtp, login)
	b.mail = mailbox.New(mailbox.Config{
		Server: imapServer(imap), Login: login.forIMAP(imap), Dial: t.boxes.guard.Dial, TLS: t.boxes.secure(imap.Host),
		Cursor: cursors{t.host.Notes(), a.ID}, Deliver: b.deliver, Seen: b.seenElsewhere, Own: b.isOurs, Ready: b.ready,
		Poll: t.boxes.poll, MaxSize: t.settings.MaxSize, SavesSent: a.Options[optionSavesSent] == "true", Logger: t.host.Logger().With("account", a.ID),
	})
	return b, nil
}

// credentials are what the account's secret logs in with.
func (b *box) credentials() (credentials, error) {
	s, err := openSecret(b.account.Secret)
	if err != nil {
		return credentials{}, err
	}
	if s.Provider == "" {
		return credentials{password: s.Password}, nil
	}
	p := b.t.boxes.providers[s.Provider]
	if p == nil {
		return credentials{}, core.E(core.Denied, "email: open", "This gateway is not set up any more to log in to mailboxes by "+s.Provider+".")
	}
	return credentials{tokens: &tokens{provider: p, now: b.t.now, refresh: b.refreshToken, renew: b.renew}}, nil
}

// refreshToken is the one that was kept last, which may be newer than the one that the session was opened with.
func (b *box) refreshToken(ctx context.Context) (string, error) {
	a, err := b.t.host.Account(ctx, b.account.ID)
	if err != nil {
		return "", err
	}
	s, err := openSecret(a.Secret)
	return s.Refresh, err
}

func (b *box) renew(ctx context.Context, refresh string) error {
	a, err := b.t.host.Account(ctx, b.account.ID)
	if err != nil {
		return err
	}
	s, err := openSecret(a.Secret)
	if err != nil {
		return err
	}
	s.Refresh = refresh
	sealed, err := s.seal()
	if err != nil {
		return err
	}
	return b.t.host.Renew(ctx, b.account.ID, sealed)
}

// run lives one connection's life.
func (b *box) run(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // to tell those who wait for something: nobody does
	}
	marking, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { b.markConsumed(marking) })
	err := b.mail.Run(ctx)
	stop()
	beside.Wait()
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was ended, and did not fail
	}
	return b.ended(err)
}

// ready says that the server has let us in.
func (b *box) ready(ctx context.Context) {
	b.t.boxes.refused.clear(b.account.ID)
	connected := &core.Status{Ref: core.Ref{Account: b.account.ID}, Link: core.Connected}
	if err := b.t.host.Deliver(ctx, connected); err != nil {
		b.t.host.Logger().Debug("status not shown", "account", b.account.ID, "err", err)
	}
}

// firstWait is how long a refused login waits before it is tried again; the next one waits for longer.
const firstWait = time.Minute

// ended says in the words of core why a connection has ended.
func (b *box) ended(err error) error {
	const op = "email: mailbox"
	where := b.own.String()
	var ours *core.Error
	switch {
	case errors.As(err, &ours): // our own house's: nothing of the server's
		return err
	case errors.Is(err, oauth.ErrRevoked):
		return &core.Error{Kind: core.Denied, Op: op, Err: err, Text: "The access to " + where + " was taken back at the provider. Link it again."}
	case errors.Is(err, discover.ErrForbidden):
		return &core.Error{Kind: core.Denied, Op: op, Err: err, Text: "The mail server of " + where + " is at an address now that this gateway connects to no mail servers at."}
	case errors.Is(err, mailbox.ErrLogin):
		if b.tokens != nil {
			b.tokens.spoil()
		}
		n := b.t.boxes.refused.add(b.account)
		if n >= maxRefused {
			return &core.Error{Kind: core.Denied, Op: op, Err: err, Text: fmt.Sprintf("The mail server of %s has refused the login %d times. It is not tried any more. Has the password changed?", where, n)}
		}
		return &core.Error{Kind: core.Unavailable, Op: op, Err: err, After: firstWait << (2 * (n - 1)), Text: "The mail server of " + where + " refuses the login."}
	case errors.Is(err, mailbox.ErrInsecure):
		return &core.Error{Kind: core.Unavailable, Op: op, Err: err, After: time.Hour, Text: "The mail server of " + where + " offers no login that would keep the password secret."}
	}
	return &core.Error{Kind: core.Unavailable, Op: op, Err: err, Text: "The mail server of " + where + " does not answer as it should."}
}

// isOurs says whether we have sent a mail from this account: its copy in the sent folder is no news.
func (b *box) isOurs(ctx context.Context, messageID string) bool {
	r, err := b.t.threads.get(ctx, midKey(b.account.ID, messageID))
	return err == nil && r != nil && r.Mine && r.Title != "" // the title of what another program sent is not kept
}

// cursors keep how far the folders of an account were followed, among the transport's notes. They go with the account.
type cursors struct {
	notes   core.Notes
	account core.AccountID
}

func (c cursors) key(name string) string { return "cursor " + name + " " + string(c.account) }

// Load implements mailbox.Store.
func (c cursors) Load(ctx context.Context, name string) ([]byte, error) {
	b, err := c.notes.Get(ctx, c.key(name))
	if err != nil && core.KindOf(err) == core.NotFound {
		return nil, nil
	}
	return b, err
}

// Save implements mailbox.Store.
func (c cursors) Save(ctx context.Context, name string, cursor []byte) error {
	return c.notes.Put(ctx, c.key(name), cursor, 0)
}

// note reads a note of the account's into v; false if there is none.
func (b *box) note(ctx context.Context, key string, v any) (bool, error) {
	raw, err := b.t.host.Notes().Get(ctx, key)
	switch {
	case err != nil && core.KindOf(err) == core.NotFound:
		return false, nil
	case err != nil:
		return false, core.Wrap(core.Unavailable, "email: mailbox", err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return false, core.Wrap(core.Internal, "email: mailbox", err)
	}
	return true, nil
}

func (b *box) putNote(ctx context.Context, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return core.Wrap(core.Internal, "email: mailbox", err)
	}
	if err := b.t.host.Notes().Put(ctx, key, raw, keepRead); err != nil {
		return core.Wrap(core.Unavailable, "email: mailbox", err)
	}
	return nil
}
