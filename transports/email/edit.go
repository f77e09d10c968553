package email

import (
	"context"
	"strings"

	"gangway/core"
)

// Edit sends the new text of a message that has gone out. Who is known to replace the old one by it gets it in that
// form; for everybody else it is an answer in the same thread that says what it is.
func (s *session) Edit(ctx context.Context, m *core.Message) (core.Taken, error) {
	text, err := s.check(m)
	if err != nil {
		return core.Taken{}, err
	}
	about, can, err := s.about(ctx, m.Ref, m.Replaces)
	if err != nil {
		return core.Taken{}, err
	}
	files, done, err := s.t.fetchFiles(ctx, m.Attachments)
	defer done()
	if err != nil {
		return core.Taken{}, err
	}
	own := *m
	own.ReplyTo, own.Quoted = core.IDs{}, ""
	r, err := s.prepare(ctx, &own)
	if err != nil {
		return core.Taken{}, err
	}
	o, err := s.outgoing(ctx, &own, r, phrasesIn(m.Lang).correction+text)
	if err != nil {
		return core.Taken{}, err
	}
	if about != nil && about.Mine && can.Edits && !m.OfPart { // of a part the rest would be gone
		o.text = editMark + text
		o.extras = []extra{{chatField, "1.0"}, {editField, about.Mid}}
	}
	o.files = files
	to, err := r.goesTo(m.Peer)
	if err != nil {
		return core.Taken{}, err
	}
	if err := s.post(ctx, m.ID, to, o, m.Receipt); err != nil {
		return core.Taken{}, err
	}
	return core.Taken{Remote: r.Remote, State: core.Accepted}, nil
}

// Retract takes a mail back where that is possible: at who has taken back mails in the same way.
func (s *session) Retract(ctx context.Context, r *core.Retraction) error {
	about, can, err := s.about(ctx, r.Ref, r.IDs)
	if err != nil {
		return err
	}
	if about == nil || !about.Mine || !can.Deletes {
		return core.E(core.Unsupported, "email: retract", "A mail that has been sent cannot be taken back.")
	}
	id := core.MessageID(core.Digest("retraction", string(r.Name())))
	o, err := s.remark(ctx, id, about)
	if err != nil {
		return err
	}
	if !r.At.IsZero() {
		o.at = r.At
	}
	o.text = strings.TrimSpace(deleteMark)
	o.extras = []extra{{chatField, "1.0"}, {deleteField, about.Mid}}
	return s.remarkTo(ctx, id, r.Peer, o)
}

const deleteMark = "🗑️" // for programs that do not know the field
