package email

import (
	"context"
	"slices"
	"strings"

	"gangway/core"
	"gangway/transports/email/mime"
)

// session is one account of the mail domain. It is safe for concurrent use.
type session struct {
	t       *transport
	account core.Account
	own     address
	via     carrier // of an account that has its own, and writes from its own address; nil: the mail domain's
}

var (
	_ core.Editor    = (*session)(nil)
	_ core.Retractor = (*session)(nil)
	_ core.Reactor   = (*session)(nil)
)

// Run says that the account is there, and waits: the listeners are the transport's. Nothing here depends on who hears
// it. That of a mailbox elsewhere is followed.
func (s *session) Run(ctx context.Context) error {
	if b := s.box(); b != nil {
		return b.run(ctx)
	}
	connected := &core.Status{Ref: core.Ref{Account: s.account.ID}, Link: core.Connected}
	if err := s.t.host.Deliver(ctx, connected); err != nil {
		s.t.host.Logger().Debug("status not shown", "account", s.account.ID, "err", err)
	}
	<-ctx.Done()
	return nil
}

// Send hands a message to the carrier. If the connection breaks after the last byte, nobody knows whether it was taken:
// it will be sent again under the same Message-ID.
func (s *session) Send(ctx context.Context, m *core.Message) (core.Taken, error) {
	m = withSubjectLine(m)
	text, err := s.check(m)
	if err != nil {
		return core.Taken{}, err
	}
	if err := s.mayGo(ctx, m); err != nil {
		return core.Taken{}, err
	}
	files, done, err := s.t.fetchFiles(ctx, m.Attachments)
	defer done()
	if err != nil {
		return core.Taken{}, err
	}
	r, err := s.prepare(ctx, m)
	if err != nil {
		return core.Taken{}, err
	}
	o, err := s.outgoing(ctx, m, r, text)
	if err != nil {
		return core.Taken{}, err
	}
	o.files = files
	to, err := r.goesTo(m.Peer)
	if err != nil {
		return core.Taken{}, err
	}
	if err := s.post(ctx, m.ID, to, o, m.Receipt); err != nil {
		return core.Taken{}, err
	}
	if err := s.t.threads.newest(ctx, m.Account, r); err != nil { // the mail is gone: not a reason to send it again
		s.t.host.Logger().Warn("thread not kept", "message", m.ID, "err", err)
	}
	return core.Taken{Remote: r.Remote, State: s.taken()}, nil
}

// taken is what it means that the carrier has a mail. It is delivered where that is the recipient's own server, and where
// the configuration says that a relay's word will do.
func (s *session) taken() core.State {
	if s.t.settings.Receipt == "relay" || s.via == nil && s.t.settings.Relay == "" {
		return core.Delivered
	}
	return core.Accepted
}

// post writes a mail and hands it to the carrier, for one recipient. id is what reports name it by.
func (s *session) post(ctx context.Context, id core.MessageID, to address, o outgoing, success bool) error {
	v, err := s.t.envelopes(ctx)
	if err != nil {
		return err
	}
	e := envelope{id: string(id), from: v.local(id, s.t.now()) + "@" + s.t.wire, success: success}
	if s.via != nil { // its server takes no other sender, and bounces come like any mail
		e.from, _ = s.own.envelope()
	}
	e.to, e.utf8 = to.envelope()
	return s.carry(ctx, e, o)
}

// carry writes a mail and hands it to the carrier, in an envelope.
func (s *session) carry(ctx context.Context, e envelope, o outgoing) error {
	o.utf8 = e.utf8
	mail, err := compose(o)
	if err != nil {
		return &core.Error{Kind: core.Invalid, Op: "email: send", Text: "The message has a subject or a name that mail cannot carry.", Err: err}
	}
	if mail, err = s.t.trace(ctx, mail); err != nil {
		return err
	}
	by := s.via
	if by == nil {
		by = s.t.carrier
		if mail, err = s.t.sign(mail); err != nil {
			return err
		}
	}
	if err := by.send(ctx, e, mail); err != nil {
		return sendFailure(e.to, err)
	}
	return nil
}

// check says whether the message can be a mail, and returns its clean text.
func (s *session) check(m *core.Message) (string, error) {
	if m.Room {
		return "", core.E(core.Unsupported, "email: send", "E-mail has no rooms.")
	}
	if !sendable(m.ID) {
		return "", core.E(core.Invalid, "email: send", "")
	}
	if _, err := parseAddress(string(m.Peer)); err != nil {
		return "", err
	}
	text := withoutURLs(mime.Clean(m.Text), m.Attachments)
	files := slices.ContainsFunc(m.Attachments, func(a core.Attachment) bool { return a.URL != "" })
	if strings.TrimSpace(text) == "" && m.Subject == "" && !files {
		return "", core.E(core.Invalid, "email: send", "The message is empty. Write something to send it as a mail.")
	}
	return text, nil
}

// name is what the sender is called where a name is needed.
func (s *session) name() string {
	if name := s.displayName(); name != "" {
		return name
	}
	return s.own.local
}

// displayName is what the user is called; it may be empty. A name that looks like an address would be taken for one.
func (s *session) displayName() string {
	name := mime.OneLine(mime.Truncate(mime.OneLine(s.account.Name), 78))
	if strings.Contains(name, "@") {
		return ""
	}
	return name
}

// outgoing is the mail that a message is.
func (s *session) outgoing(ctx context.Context, m *core.Message, r *row, text string) (outgoing, error) {
	chosen, err := s.t.host.Preferences(ctx, s.account.ID)
	if err != nil {
		return outgoing{}, core.Wrap(core.Unavailable, "email: send", err)
	}
	o := s.mail(r)
	o.to, o.cc = r.recipients(m)
	o.text, o.lang = text, m.Lang
	if !m.At.IsZero() {
		o.at = m.At
	}
	if choice(chosen, historyChoice) == historyReply {
		o.quote = s.quotation(ctx, m, r)
	}
	if choice(chosen, jabberChoice) == "true" {
		o.jabberID = mime.OneLine(string(s.account.User))
	}
	return o, nil
}

// mail is a mail of the user's, without its text and recipients.
func (s *session) mail(r *row) outgoing {
	return outgoing{
		id: r.Mid, from: s.writesAs(r), name: s.displayName(), at: r.At, subject: r.Title,
		inReplyTo: r.Parent, references: slices.Clone(r.Refs), loop: s.t.wire,
	}
}
