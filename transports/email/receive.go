package email

import (
	"context"
	"strings"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/mime"
)

// recipient finds out whom an envelope's recipient is.
func (t *transport) recipient(ctx context.Context, to, from string) (recipient, error) {
	i := strings.LastIndexByte(to, '@')
	if i < 0 {
		return recipient{}, noMailbox()
	}
	a, err := newAddress(to[:i], to[i+1:]) // go-smtp has taken the quotes away
	if err != nil {
		return recipient{}, refusal(553, smtp.EnhancedCode{5, 1, 3}, "The recipient's address is not valid")
	}
	if a.domain != t.domain {
		return recipient{}, refusal(550, smtp.EnhancedCode{5, 7, 1}, "Mail for that domain is not accepted here")
	}
	if isVERP(a.local) {
		return t.bounced(ctx, a.local)
	}
	var r recipient
	alias, _, tagged := strings.Cut(strings.ToLower(a.local), "+")
	if tagged {
		r.tag = a.String()
	}
	peer := core.Address("")
	if sender, err := parseAddress(from); err == nil {
		peer = sender.address()
	}
	if strings.Contains(alias, "=") {
		r.account, err = t.computedOwner(ctx, a.local)
	} else {
		r.account, err = t.host.Owner(ctx, core.Address(alias+"@"+t.domain), peer)
	}
	if err == nil && isSender(peer) {
		if err = t.host.Receives(ctx, r.account.ID, peer); err == nil {
			err = t.admits(ctx, r.account.ID, peer)
		}
	}
	return r, err
}

// isSender says whether an envelope's sender is whom the mail is from. It is not where servers make one of their own (SRS,
// BATV, VERP), nor for a bounce: what becomes of such mail depends on its From.
func isSender(sender core.Address) bool {
	return sender != "" && !strings.Contains(string(sender), "=")
}

// bounced accepts an envelope sender that only we can have made.
func (t *transport) bounced(ctx context.Context, local string) (recipient, error) {
	v, err := t.envelopes(ctx)
	if err != nil {
		return recipient{}, err
	}
	id, err := v.parse(local, t.now())
	if err != nil {
		return recipient{}, refusal(550, smtp.EnhancedCode{5, 1, 1}, "That is not an address that mail was sent from")
	}
	return recipient{bounce: id}, nil
}

// deliver hands a mail to each of its recipients. A nil error means that it is safe.
func (t *transport) deliver(ctx context.Context, raw []byte, a arrival, rcpts []recipient) []outcome {
	l := readLetter(raw, a.from, t.now())
	refused := t.refuse(ctx, l, raw, a, rcpts)
	l.back = backTo(l, a.from)
	all := make([]outcome, len(rcpts))
	for i, r := range rcpts {
		all[i].rcpt = r
		switch {
		case refused != nil:
			all[i].err = refused
		case r.bounce != "":
			all[i].err = t.deliverReport(ctx, l, r.bounce)
		default:
			all[i].unsure, all[i].err = t.deliverTo(ctx, l, r)
		}
		if err := all[i].err; err != nil {
			t.host.Logger().Warn("mail not taken", "account", r.account.ID, "bounce", r.bounce, "err", err)
		}
	}
	return all
}

// refuse says why nobody is to get a mail.
func (t *transport) refuse(ctx context.Context, l *letter, raw []byte, a arrival, rcpts []recipient) error {
	if l.looping(t.wire) {
		return refusal(554, smtp.EnhancedCode{5, 4, 6}, "The message is in a loop")
	}
	for _, r := range rcpts {
		if r.bounce != "" {
			continue // only who got a mail from here knows such an address
		}
		if err := t.authenticate(ctx, l, raw, a); err != nil {
			return err
		}
		return t.mayCome(l, a)
	}
	return nil
}

// deliverTo delivers a mail to one recipient. unsure, if it is not empty, is for heard.
func (t *transport) deliverTo(ctx context.Context, l *letter, r recipient) (unsure string, err error) {
	if err := t.admits(ctx, r.account.ID, l.peer()); err != nil {
		return "", err
	}
	l, unsure, err = t.named(ctx, l, r.account.ID)
	if err != nil {
		return "", err
	}
	if err := t.learn(ctx, l, r.account.ID); err != nil {
		return "", err
	}
	if l.forgeable() && l.mail.Root.Header.Has(deleteField) {
		return unsure, t.deliverLetter(ctx, l, r.account, r.tag, "")
	}
	if done, err := t.deliverAct(ctx, l, r.account.ID); done || err != nil {
		return unsure, err
	}
	return unsure, t.deliverLetter(ctx, l, r.account, r.tag, "")
}

// deliverLetter delivers a mail into the account's conversation with its sender, or with peer, if that is given. Its
// files are there before the message, what is known of the thread comes with it, and the message is safe before the
// answer, so that a repetition completes it.
func (t *transport) deliverLetter(ctx context.Context, l *letter, account core.Account, tag string, peer core.Address) error {
	a, name, answer := account.ID, "", peer != ""
	if !answer {
		var err error
		if l, err = t.known(ctx, l, a); err != nil {
			return err
		}
		if peer, name = l.peer(), l.name; l.list.isForum() {
			name = l.list.name
		}
	}
	p, err := t.threads.place(ctx, a, l, peer)
	if err != nil {
		return err
	}
	m := t.trimmed(ctx, l, account, &p).message(tag)
	m.Peer, p.row.Tagged = peer, core.Address(tag)
	if p.topic {
		m.Text = strings.Trim(heading(l.subject)+"\n"+m.Text, "\n")
	} else {
		m.Subject = ""
	}
	m.Account, m.Remote, m.Thread, m.ReplyTo.Remote = a, p.row.Remote, p.row.Thread, p.replyTo
	m.Also = l.also(account.Own)
	if !l.forgeable() {
		if err := t.edited(ctx, l, m); err != nil {
			return err
		}
	}
	t.marked(ctx, l, account, m, answer)
	p.row.Back = l.back
	if m.Notes, err = p.notes(a); err != nil {
		return err
	}
	kept, err := t.keep(ctx, a, peer, l)
	if err != nil {
		return err
	}
	m.Notes = append(m.Notes, kept...)
	if err := t.keepFiles(ctx, account, l, m); err != nil {
		return err
	}
	if err := t.host.Deliver(ctx, m); err != nil {
		return err
	}
	if err := t.deliverName(ctx, m.Ref, name); err != nil { // the mail is safe, and comes with a name again
		t.host.Logger().Debug("name not shown", "account", a, "err", err)
	}
	return nil
}

func nameKey(ref core.Ref) string {
	return "name " + core.Digest(string(ref.Account), strings.ToLower(string(ref.Peer)))
}

// knownName is what a correspondent called themselves last; empty if that is not known.
func (t *transport) knownName(ctx context.Context, ref core.Ref) string {
	name, err := t.host.Notes().Get(ctx, nameKey(ref))
	if err != nil {
		return "" // it is a courtesy
	}
	return mime.OneLine(string(name))
}

// deliverName tells what a correspondent calls themselves, when that has changed.
func (t *transport) deliverName(ctx context.Context, ref core.Ref, name string) error {
	if name == "" {
		return nil
	}
	key := nameKey(ref)
	known, err := t.host.Notes().Get(ctx, key)
	switch {
	case err == nil && string(known) == name:
		return nil
	case err != nil && core.KindOf(err) != core.NotFound:
		return err
	}
	if err := t.host.Deliver(ctx, &core.Profile{Ref: ref, Name: name}); err != nil {
		return err
	}
	return t.host.Notes().Put(ctx, key, []byte(name), keepThreads)
}
