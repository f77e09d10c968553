package muc

import (
	"context"
	"encoding/json"
	"maps"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// keeping is the note of the rooms that an account stays in when none of its clients is.
type keeping struct {
	Rooms map[core.Address]string `json:"rooms,omitempty"` // with the nick there
	// Chosen are rooms that another program's user chose to stay in, with the nick: their choice is noted when the
	// account is next looked at.
	Chosen map[core.Address]string `json:"chosen,omitempty"`
}

// readKeeping reads the note. Once it was the rooms only, each of which had been chosen.
func readKeeping(ctx context.Context, notes core.Notes, a core.AccountID) (k keeping, err error) {
	note, err := notes.Get(ctx, keptKey(a))
	if err != nil {
		if core.KindOf(err) == core.NotFound {
			err = nil
		}
		return k, err
	}
	var raw map[string]json.RawMessage
	if err = json.Unmarshal(note, &raw); err == nil {
		if raw["rooms"] == nil && raw["chosen"] == nil {
			err = json.Unmarshal(note, &k.Chosen)
		} else {
			err = json.Unmarshal(note, &k)
		}
	}
	if err != nil {
		return k, core.Wrap(core.Internal, "muc: persistent rooms", err)
	}
	return k, nil
}

func writeKeeping(ctx context.Context, notes core.Notes, a core.AccountID, k keeping) error {
	if len(k.Rooms)+len(k.Chosen) == 0 {
		return notes.Delete(ctx, keptKey(a))
	}
	note, err := json.Marshal(k)
	if err != nil {
		return core.Wrap(core.Internal, "muc: persistent rooms", err)
	}
	return notes.Put(ctx, keptKey(a), note, 0)
}

// kept are the rooms that an account stays in when none of its clients is, each with its nick.
func (r *Rooms) kept(ctx context.Context, d *edge.Domain, a core.Account) (map[core.Address]string, error) {
	if r.cfg.Notes == nil {
		return nil, nil
	}
	notes := r.cfg.Notes(a.Network)
	k, err := readKeeping(ctx, notes, a.ID)
	if err != nil || len(k.Chosen) == 0 {
		return k.Rooms, err
	}
	if k.Rooms == nil {
		k.Rooms = map[core.Address]string{}
	}
	for room, nick := range k.Chosen {
		k.Rooms[room] = orElse(k.Rooms[room], nick)
	}
	if r.cfg.Choices == nil {
		return k.Rooms, nil
	}
	err = r.cfg.Choices.ChangePreferences(ctx, a.User, a.Network, func(p *core.Preferences) error {
		for room := range k.Chosen {
			at := core.Target{Realm: a.Realm, Address: room, Room: true}
			if d.Network.Chosen(*p, core.ChoicePersistent, at) != "" {
				continue
			}
			if err := d.Network.Choose(p, at, map[string]string{core.ChoicePersistent: "true"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return k.Rooms, err
	}
	return k.Rooms, writeKeeping(ctx, notes, a.ID, keeping{Rooms: k.Rooms})
}

func keptKey(a core.AccountID) string { return "rooms " + string(a) }

// keepRoom notes that an account stays in a room, or, without a nick, that it does not.
func (r *Rooms) keepRoom(ctx context.Context, d *edge.Domain, a core.Account, room core.Address, nick string) error {
	rooms, err := r.kept(ctx, d, a)
	if err != nil || rooms[room] == nick {
		return err
	}
	rooms = maps.Clone(rooms)
	if rooms == nil {
		rooms = map[core.Address]string{}
	}
	if delete(rooms, room); nick != "" {
		rooms[room] = nick
	}
	k := keeping{Rooms: rooms}
	if r.cfg.Choices == nil {
		k.Rooms, k.Chosen = nil, rooms
	}
	err = writeKeeping(ctx, r.cfg.Notes(a.Network), a.ID, k)
	if err == nil {
		r.bookmark(ctx, d, a, room, nick)
	}
	return err
}

// bookmark puts a persistent room into the user's bookmarks (XEP-0402), or takes it out, where the host server lets
// us. Otherwise the client's own bookmarks do.
func (r *Rooms) bookmark(ctx context.Context, d *edge.Domain, a core.Account, room core.Address, nick string) {
	jid, err := d.JID(a.Realm, room, true)
	if err != nil || d.Privileges == nil || !d.Privileges.MayIQ(a.User, nsPubsub, "set") {
		return
	}
	st, err := d.Privileges.IQ(ctx, a.User, "", "set", nsPubsub, func(enc *stream.Encoder) {
		if nick == "" {
			writeUnmark(enc, jid)
		} else {
			writeBookmark(enc, jid, roomName(core.Target{Realm: a.Realm, Address: room}), nick)
		}
	})
	if err != nil {
		r.log.Info("bookmark not changed", "account", a.ID, "err", err)
		return
	}
	st.Release()
}

func writeUnmark(enc *stream.Encoder, jid string) {
	enc.Start("pubsub", nsPubsub)
	enc.Start("retract", "", "node", nsBookmarks, "notify", "true")
	enc.Empty("item", "", "id", jid)
	enc.End()
	enc.End()
}

func writeBookmark(enc *stream.Encoder, jid, name, nick string) {
	enc.Start("pubsub", nsPubsub)
	enc.Start("publish", "", "node", nsBookmarks)
	enc.Start("item", "", "id", jid)
	enc.Start("conference", nsBookmarks, "name", name, "autojoin", "true")
	enc.Leaf("nick", "", nick)
	enc.End()
	enc.End()
	enc.End()
	publishOptions(enc)
	enc.End()
}

// publishOptions are those of a node that is the user's own list (XEP-0402 section 3.1, XEP-0490 section 3.2).
func publishOptions(enc *stream.Encoder) {
	enc.Start("publish-options", "")
	enc.Start("x", "jabber:x:data", "type", "submit")
	for _, f := range [][2]string{
		{"FORM_TYPE", nsPubsub + "#publish-options"}, {"pubsub#persist_items", "true"}, {"pubsub#max_items", "max"},
		{"pubsub#send_last_published_item", "never"}, {"pubsub#access_model", "whitelist"},
	} {
		enc.Start("field", "", "var", f[0])
		enc.Leaf("value", "", f[1])
		enc.End()
	}
	enc.End()
	enc.End()
}

// Restore joins the persistent rooms of accounts, after the program has begun. What the network refuses is tried when
// a client joins.
func (r *Rooms) Restore(ctx context.Context, d *edge.Domain, accounts []core.Account) {
	for _, a := range accounts {
		rooms, err := r.kept(ctx, d, a)
		if err != nil {
			r.log.Warn("persistent rooms not read", "account", a.ID, "err", err)
			continue
		}
		for room, nick := range rooms {
			if stays, err := r.stays(ctx, d, a, room); err == nil && !stays {
				if err := r.keepRoom(ctx, d, a, room, ""); err != nil {
					r.log.Warn("room not forgotten", "account", a.ID, "err", err)
				}
				continue
			}
			err := r.gw.With(ctx, a, func(s core.Session) error {
				caps := core.CapsOf(s)
				if caps.Rooms == nil {
					return nil
				}
				return caps.Rooms.Join(ctx, room, core.Join{Nick: nick})
			})
			if err != nil {
				r.log.Warn("persistent room not joined", "account", a.ID, "err", err)
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}
