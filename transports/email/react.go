package email

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/email/mime"
)

// chatField is in the mails of programs that take mail for a chat (Delta Chat).
const chatField = "Chat-Version"

// abilities are what a correspondent's program has shown that it can do beside showing mails.
type abilities struct {
	Edits     bool `json:"edits,omitempty"`     // it replaces a mail by the one that corrects it
	Reactions bool `json:"reactions,omitempty"` // it puts emoji on a mail
	Deletes   bool `json:"deletes,omitempty"`   // it takes a mail away: Delta Chat itself does so for encrypted mail only
}

const keepAbilities = 400 * 24 * time.Hour

func abilitiesKey(a core.AccountID, peer core.Address) string {
	return "can " + core.Digest(strings.ToLower(string(peer))) + " " + string(a)
}

// abilities returns what is known; nothing, if that cannot be found out.
func (t *transport) abilities(ctx context.Context, a core.AccountID, peer core.Address) (abilities, error) {
	var known abilities
	b, err := t.host.Notes().Get(ctx, abilitiesKey(a, peer))
	switch {
	case err != nil && core.KindOf(err) == core.NotFound:
		return known, nil
	case err != nil:
		return known, core.Wrap(core.Unavailable, "email: abilities", err)
	}
	if err := json.Unmarshal(b, &known); err != nil {
		return abilities{}, core.Wrap(core.Internal, "email: abilities", err)
	}
	return known, nil
}

// learn notes what a mail shows of its sender's program. Most mails show nothing, and cost nothing.
func (t *transport) learn(ctx context.Context, l *letter, a core.AccountID) error {
	h := l.mail.Root.Header
	shown := abilities{
		Edits: h.Has(chatField) || h.Has(editField), Reactions: h.Has(chatField) || len(l.reaction) > 0, Deletes: h.Has(deleteField),
	}
	if shown == (abilities{}) || l.automatic || l.list != nil {
		return nil
	}
	peer := l.from.address()
	known, err := t.abilities(ctx, a, peer)
	if err != nil {
		return err
	}
	all := abilities{known.Edits || shown.Edits, known.Reactions || shown.Reactions, known.Deletes || shown.Deletes}
	if all == known {
		return nil
	}
	b, err := json.Marshal(all)
	if err == nil {
		err = t.host.Notes().Put(ctx, abilitiesKey(a, peer), b, keepAbilities)
	}
	if err != nil {
		return core.Wrap(core.Unavailable, "email: abilities", err)
	}
	return nil
}

// React sends a reaction to who is known to show it as one. Nobody else gets a mail for a thumb.
func (s *session) React(ctx context.Context, r *core.Reaction) error {
	if len(r.Emoji) == 0 {
		// Taken back. A reaction of RFC 9078 section 2 has one emoji at least, and Gmail's always has one: there is no
		// mail that says it, and an empty one would be shown as a message. The user sees it gone, the other side does not.
		return nil
	}
	about, can, err := s.about(ctx, r.Ref, r.IDs)
	if err != nil || about == nil || !can.Reactions {
		return err
	}
	id := core.MessageID(core.Digest("reaction", string(r.Name()), strings.Join(r.Emoji, " ")))
	o, err := s.remark(ctx, id, about)
	if err != nil {
		return err
	}
	for _, e := range r.Emoji {
		o.emoji = append(o.emoji, mime.OneLine(e))
	}
	o.at = r.At
	o.text = phrasesIn("").reaction(s.name(), strings.Join(o.emoji, " "))
	o.extras = []extra{{chatField, "1.0"}}
	return s.remarkTo(ctx, id, r.Peer, o)
}

// about finds the mail that something is about, and what its correspondent can do with that. The row is nil if the mail
// is forgotten.
func (s *session) about(ctx context.Context, ref core.Ref, ids core.IDs) (*row, abilities, error) {
	if err := s.ownID(ctx, &ids); err != nil {
		return nil, abilities{}, err
	}
	r, err := s.t.threads.named(ctx, ref.Account, ids.Remote)
	if r == nil || err != nil {
		return nil, abilities{}, err
	}
	can, err := s.t.abilities(ctx, ref.Account, ref.Peer)
	return r.toward(ref.Peer), can, err
}

// remark is a mail that does something to another one, and that nothing is ever said about.
func (s *session) remark(ctx context.Context, id core.MessageID, about *row) (outgoing, error) {
	mid, err := s.messageID(ctx, &core.Message{IDs: core.IDs{ID: id}})
	if err != nil {
		return outgoing{}, err
	}
	return s.mail(&row{
		Mid: mid, At: s.t.now(), Title: "Re: " + about.Subject, Parent: about.Mid, Refs: references(about.Refs, about.Mid),
	}), nil
}

// remarkTo sends a remark.
func (s *session) remarkTo(ctx context.Context, id core.MessageID, peer core.Address, o outgoing) error {
	to, err := parseAddress(string(peer))
	if err != nil {
		return err
	}
	o.to = []address{to}
	return s.post(ctx, id, to, o, false)
}
