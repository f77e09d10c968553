package roster

import (
	"context"
	"maps"
	"slices"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/vcard"
)

// greets is how long a device has, once it is online, to ask for the presence of
// its contacts, before it is told of their pictures.
const greets = 5 * time.Second

// news is what of whose cards has changed, by bare JID.
type news map[string]vcard.Parts

// with is all the news of both.
func (n news) with(more news) news {
	if n == nil {
		n = news{}
	}
	for jid, what := range more {
		if _, known := n[jid]; known || len(n) < maxWanted {
			n[jid] |= what
		}
	}
	return n
}

// Carded says that something of the card of a user's contact is news. It is quick:
// see vcard.Cards.Watch.
func (r *Roster) Carded(d *edge.Domain, user core.UserID, jid string, what vcard.Parts) {
	if h := r.domains[d]; h != nil {
		h.want(user, job{news: news{jid: what}})
	}
}

// tellCards tells the devices of a user what is news about contacts, and those
// that have just come what pictures there are, as the contacts' own accounts would
// (XEP-0163): only of those whom the user has as contacts, and only what a device
// wants to know. A picture is in the presence, too (XEP-0153).
func (h *house) tellCards(ctx context.Context, user core.UserID, j job) error {
	cards := h.roster.cfg.Cards
	if cards == nil {
		return nil
	}
	clients, shown := h.view(user)
	all, err := h.subscribed(ctx, user, shown)
	if err != nil {
		return err
	}
	fresh := slices.DeleteFunc(slices.Clone(all), func(jid string) bool { return j.news[jid] == 0 })
	err = h.paced(ctx, len(fresh), func(enc *stream.Encoder, i int) {
		if s, is := shown[fresh[i]]; is && j.news[fresh[i]]&vcard.Picture != 0 {
			h.show(enc, user, fresh[i], s) // dressed anew
		}
	})
	pictured := slices.DeleteFunc(all, func(jid string) bool { return cards.Photo(h.domain, user, jid) == "" })
	for _, full := range slices.Sorted(maps.Keys(clients)) {
		if err != nil {
			return err
		}
		comes := slices.Contains(j.tell, full)
		if len(fresh) == 0 && (!comes || len(pictured) == 0) {
			continue // nothing to be told: it is not asked what it wants
		}
		wants := h.caps.of(ctx, h.domain.Link, full, clients[full]).events
		var about []string
		if comes && wants&vcard.Picture != 0 {
			about = pictured
		}
		err = h.paced(ctx, len(about), func(enc *stream.Encoder, i int) {
			cards.Tell(enc, h.domain, user, about[i], full, vcard.Picture)
		})
		if err != nil {
			return err
		}
		err = h.paced(ctx, len(fresh), func(enc *stream.Encoder, i int) {
			what := j.news[fresh[i]] & wants
			if about != nil {
				what &^= vcard.Picture // it has been told
			}
			if what != 0 {
				cards.Tell(enc, h.domain, user, fresh[i], full, what)
			}
		})
	}
	return err
}

// view is what devices of a user are online, and who they see available.
func (h *house) view(user core.UserID) (clients map[string]client, shown map[string]state) {
	h.mu.Lock()
	defer h.mu.Unlock()
	shown = map[string]state{}
	if p := h.people[user]; p != nil {
		clients = maps.Clone(p.clients)
		maps.Copy(shown, p.shown)
	}
	maps.DeleteFunc(shown, func(_ string, s state) bool { return !s.available })
	return clients, shown
}

// subscribed are those whom a user sees, and who are on the list besides.
func (h *house) subscribed(ctx context.Context, user core.UserID, shown map[string]state) ([]string, error) {
	all := maps.Clone(shown)
	if h.notes != nil {
		l, err := h.load(ctx, user)
		if err != nil {
			return nil, err
		}
		for jid, e := range l.Entries {
			if e.State == set || e.State == subscribed {
				all[jid] = state{}
			}
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}
