package muc

import (
	"context"
	"strconv"

	"gangway/core"
	"gangway/core/xmpp/edge"
)

// chosen is what an account's user chose for a place; empty: nothing, neither there nor wider.
func (r *Rooms) chosen(ctx context.Context, d *edge.Domain, user core.UserID, name string, at core.Target) (string, error) {
	if r.cfg.Choices == nil {
		return "", nil
	}
	p, err := r.cfg.Choices.Preferences(ctx, user, d.Network.Driver.Name)
	if err != nil {
		return "", err
	}
	value, _, _ := p.Choice(d.Network.Transport, name, at)
	return value, nil
}

// choice is what the room's user chose for it; empty: nothing, or it cannot be found out.
func (rm *room) choice(ctx context.Context, name string) string {
	value, err := rm.rooms.chosen(ctx, rm.domain, rm.user, name, core.Target{Realm: rm.realm, Address: rm.ref.Peer, Room: true})
	if err != nil {
		rm.rooms.log.Warn("choice not found out", "account", rm.ref.Account, "err", err)
	}
	return value
}

// usualHistory is how many messages a join is shown that does not say.
func (h *Handler) usualHistory(ctx context.Context, c *call) int {
	value, err := h.rooms.chosen(ctx, h.domain, c.user, core.ChoiceHistory, c.target)
	if n, wrong := strconv.Atoi(value); err == nil && wrong == nil && n >= 0 {
		return min(n, mostHistory)
	}
	return usualHistory
}

// stays says whether an account's user wants it to stay in a room when none of their clients is.
func (r *Rooms) stays(ctx context.Context, d *edge.Domain, a core.Account, room core.Address) (bool, error) {
	if r.cfg.Notes == nil {
		return false, nil
	}
	rooms, err := r.kept(ctx, d, a) // what comes from elsewhere is noted as chosen first
	if err != nil || r.cfg.Choices == nil {
		return rooms[room] != "", err
	}
	value, err := r.chosen(ctx, d, a.User, core.ChoicePersistent, core.Target{Realm: a.Realm, Address: room, Room: true})
	return value == "true", err
}

// remain notes that an account stays in a room, under the nick that it has by now, if its user wants that; otherwise that
// it does not. rm is the room, or nil.
func (r *Rooms) remain(ctx context.Context, d *edge.Domain, a core.Account, t core.Target, rm *room) (bool, error) {
	stays, err := r.stays(ctx, d, a, t.Address)
	if err != nil {
		return false, err
	}
	nick := ""
	if stays {
		rooms, err := r.kept(ctx, d, a)
		if err != nil {
			return false, err
		}
		nick = rooms[t.Address]
		if rm != nil {
			_, me := rm.present()
			nick = orElse(me.Nick, nick)
		}
	}
	if r.cfg.Notes == nil {
		return false, nil
	}
	return nick != "", r.keepRoom(ctx, d, a, t.Address, nick)
}

// Reconsider has an account stay in rooms, or leave those that nobody is in, as its user wants it now.
func (r *Rooms) Reconsider(ctx context.Context, d *edge.Domain, a core.Account) error {
	rooms, err := r.kept(ctx, d, a)
	if err != nil {
		return err
	}
	for _, rm := range r.theirs(a.ID) {
		if in, me := rm.present(); len(in) > 0 && me.Nick != "" {
			if _, err := r.remain(ctx, d, a, core.Target{Realm: a.Realm, Address: rm.ref.Peer, Room: true}, rm); err != nil {
				return err
			}
		}
	}
	for room := range rooms {
		rm := r.find(core.Ref{Account: a.ID, Peer: room})
		if rm != nil && rm.count() > 0 {
			continue
		}
		stays, err := r.remain(ctx, d, a, core.Target{Realm: a.Realm, Address: room, Room: true}, rm)
		if err != nil {
			return err
		}
		if stays {
			continue
		}
		err = r.gw.With(ctx, a, func(s core.Session) error {
			if caps := core.CapsOf(s); caps.Rooms != nil {
				return caps.Rooms.Leave(ctx, room, "")
			}
			return nil
		})
		if err != nil && core.KindOf(err) != core.NotFound {
			return err
		}
	}
	return nil
}

// theirs are the rooms of an account.
func (r *Rooms) theirs(account core.AccountID) (all []*room) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for ref, rm := range r.rooms {
		if ref.Account == account {
			all = append(all, rm)
		}
	}
	return all
}
