package email

import (
	"context"
	"encoding/json"
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
}

// Run says that the account is there, and waits: the listeners are the transport's. Nothing here depends on who hears
// it.
func (s *session) Run(ctx context.Context) error {
	connected := &core.Status{Ref: core.Ref{Account: s.account.ID}, Link: core.Connected}
	if err := s.t.host.Deliver(ctx, connected); err != nil {
		s.t.host.Logger().Debug("status not shown", "account", s.account.ID, "err", err)
	}
	<-ctx.Done()
	return nil
}

// sentMail is what is remembered of a mail for as long as something may come back about it.
type sentMail struct {
	Account core.AccountID `json:"account"`
	Peer    core.Address   `json:"peer"`
}

func sentKey(id core.MessageID) string { return "sent " + string(id) }

// sentMail returns what is remembered; zero if that is nothing.
func (t *transport) sentMail(ctx context.Context, id core.MessageID) (sentMail, error) {
	var sent sentMail
	b, err := t.host.Notes().Get(ctx, sentKey(id))
	if err != nil {
		if core.KindOf(err) == core.NotFound {
			return sent, nil
		}
		return sent, core.Wrap(core.Unavailable, "email: sent", err)
	}
	if err := json.Unmarshal(b, &sent); err != nil {
		return sentMail{}, core.Wrap(core.Internal, "email: sent", err)
	}
	return sent, nil
}

// messageID is the Message-ID of a mail of ours: the same however often it is sent.
func (t *transport) messageID(id core.MessageID) string { return "<" + string(id) + "@" + t.wire + ">" }

// Send hands a message to the relay. If the connection breaks after the last byte, nobody knows whether it was taken:
// it will be sent again under the same Message-ID.
func (s *session) Send(ctx context.Context, m *core.Message) (core.Taken, error) {
	to, text, err := s.check(m)
	if err != nil {
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
	if r.To != "" {
		if to, err = parseAddress(string(r.To)); err != nil {
			return core.Taken{}, err
		}
	}
	v, err := s.t.envelopes(ctx)
	if err != nil {
		return core.Taken{}, err
	}
	o := s.outgoing(m, r, to, text)
	o.files = files
	mail, err := compose(o)
	if err != nil {
		return core.Taken{}, &core.Error{Kind: core.Invalid, Op: "email: send", Text: "The message has a subject or a name that mail cannot carry.", Err: err}
	}
	e := envelope{id: string(m.ID), from: v.local(m.ID, s.t.now()) + "@" + s.t.wire, success: m.Receipt}
	e.to, e.utf8 = to.envelope()
	if err := s.t.carrier.send(ctx, e, mail); err != nil {
		return core.Taken{}, sendFailure(to.String(), err)
	}
	if err := s.t.threads.newest(ctx, m.Account, r); err != nil { // the mail is gone: not a reason to send it again
		s.t.host.Logger().Warn("thread not kept", "message", m.ID, "err", err)
	}
	taken := core.Taken{Remote: r.Remote, State: core.Accepted}
	if s.t.settings.Receipt == "relay" {
		taken.State = core.Delivered
	}
	return taken, nil
}

// check says whether the message can be a mail, and returns its recipient and its clean text.
func (s *session) check(m *core.Message) (address, string, error) {
	if m.Room {
		return address{}, "", core.E(core.Unsupported, "email: send", "E-mail has no rooms.")
	}
	if !sendable(m.ID) {
		return address{}, "", core.E(core.Invalid, "email: send", "")
	}
	to, err := parseAddress(string(m.Peer))
	if err != nil {
		return address{}, "", err
	}
	text := withoutURLs(mime.Clean(m.Text), m.Attachments)
	files := slices.ContainsFunc(m.Attachments, func(a core.Attachment) bool { return a.URL != "" })
	if strings.TrimSpace(text) == "" && m.Subject == "" && !files {
		return address{}, "", core.E(core.Invalid, "email: send", "The message is empty. Write something to send it as a mail.")
	}
	return to, text, nil
}

// prepare decides where the message belongs and writes that down, before anything is sent: an answer or a bounce may
// come at once. A message that is sent again keeps its place, whatever has come in meanwhile.
func (s *session) prepare(ctx context.Context, m *core.Message) (*row, error) {
	mid := s.t.messageID(m.ID)
	r, err := s.t.threads.get(ctx, midKey(m.Account, mid))
	if r != nil || err != nil {
		return r, err
	}
	now := s.t.now()
	parent, err := s.t.threads.answered(ctx, m, now)
	if err != nil {
		return nil, err
	}
	r = s.place(m, mid, parent)
	r.At = now
	sent, err := json.Marshal(sentMail{Account: m.Account, Peer: m.Peer})
	if err != nil {
		return nil, core.Wrap(core.Internal, "email: send", err)
	}
	if err := s.t.host.Notes().Put(ctx, sentKey(m.ID), sent, verpWindow); err != nil {
		return nil, core.Wrap(core.Unavailable, "email: send", err)
	}
	return r, s.t.threads.put(ctx, r, midKey(m.Account, mid))
}

// place makes the row of a new message. Another subject than the parent's begins another thread.
func (s *session) place(m *core.Message, mid string, parent *row) *row {
	subject := mime.Truncate(mime.OneLine(m.Subject), 500)
	base, _ := baseSubject(subject)
	if parent != nil && base != "" && !sameSubject(base, parent.Subject) {
		parent = nil
	}
	r := &row{
		Mid: mid, Remote: core.RemoteID(mid), Peer: m.Peer, Thread: m.Thread, Subject: base, Title: subject, Said: linesOf(m.Text),
	}
	if parent == nil {
		if r.Title == "" {
			r.Title = "Message from " + s.name()
			r.Subject = r.Title
		}
		if r.Thread == "" {
			r.Thread = newThread(m.Account, mid)
		}
		return r
	}
	r.Subject, r.Title = parent.Subject, "Re: "+parent.Subject
	if r.Thread == "" {
		r.Thread = parent.Thread
	}
	if to, _, _ := strings.Cut(string(m.ReplyTo.Remote), " "); to == parent.Mid {
		r.To = parent.Answers // to this one, and not to all of a list
	}
	if !strings.HasSuffix(parent.Mid, noID) {
		r.Parent, r.Refs = parent.Mid, references(parent.Refs, parent.Mid)
	}
	return r
}

// name is what the sender is called where a name is needed.
func (s *session) name() string {
	if name := mime.OneLine(s.account.Name); name != "" {
		return name
	}
	return s.own.local
}

func (s *session) outgoing(m *core.Message, r *row, to address, text string) outgoing {
	o := outgoing{
		id: r.Mid, from: s.own, to: to, also: copied(m.Also), name: mime.Truncate(mime.OneLine(s.account.Name), 78), at: m.At, subject: r.Title,
		inReplyTo: r.Parent, references: slices.Clone(r.Refs), loop: s.t.wire, text: text,
	}
	if o.at.IsZero() {
		o.at = r.At
	}
	return o
}
