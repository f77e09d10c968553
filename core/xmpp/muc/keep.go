package muc

import (
	"context"
	"encoding/json"
	"maps"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// kept are the rooms that an account stays in when none of its clients is, each with its nick: the user's own choice
// in the room's settings.
func (r *Rooms) kept(ctx context.Context, a core.Account) (map[core.Address]string, error) {
	if r.cfg.Notes == nil {
		return nil, nil
	}
	note, err := r.cfg.Notes(a.Network).Get(ctx, keptKey(a.ID))
	if err != nil {
		if core.KindOf(err) == core.NotFound {
			return nil, nil
		}
		return nil, err
	}
	rooms := map[core.Address]string{}
	if err := json.Unmarshal(note, &rooms); err != nil {
		return nil, core.Wrap(core.Internal, "muc: persistent rooms", err)
	}
	return rooms, nil
}

func keptKey(a core.AccountID) string { return "rooms " + string(a) }

// keepRoom notes that an account stays in a room, or, without a nick, that it does not.
func (r *Rooms) keepRoom(ctx context.Context, d *edge.Domain, a core.Account, room core.Address, nick string) error {
	rooms, err := r.kept(ctx, a)
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
	notes := r.cfg.Notes(a.Network)
	if len(rooms) == 0 {
		err = notes.Delete(ctx, keptKey(a.ID))
	} else {
		var note []byte
		if note, err = json.Marshal(rooms); err == nil {
			err = notes.Put(ctx, keptKey(a.ID), note, 0)
		}
	}
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
func (r *Rooms) Restore(ctx context.Context, accounts []core.Account) {
	for _, a := range accounts {
		rooms, err := r.kept(ctx, a)
		if err != nil {
			r.log.Warn("persistent rooms not read", "account", a.ID, "err", err)
			continue
		}
		for room, nick := range rooms {
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
