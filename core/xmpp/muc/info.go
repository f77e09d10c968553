package muc

import (
	"context"
	"slices"
	"strconv"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/query"
)

// settleWithin is how long who asks what a room is like waits for the network.
const settleWithin = 5 * time.Second

var _ disco.Answerer = (*Handler)(nil)

// roomName is what a room is called.
func roomName(t core.Target) string {
	if t.Realm == "" {
		return string(t.Address)
	}
	return string(t.Address) + " on " + t.Realm
}

// traffic is what may be said through a room (XEP-0045 section 6.4).
func traffic(caps core.Caps) []string {
	all := []string{nsReply, nsFallback, nsOOB}
	for feature, has := range map[string]bool{
		nsStates: caps.TypingSender != nil, nsCorrect: caps.Editor != nil, nsRetract: caps.Retractor != nil,
		nsModerate: caps.Retractor != nil, nsReactions: caps.Reactor != nil,
	} {
		if has {
			all = append(all, feature)
		}
	}
	slices.Sort(all)
	return all
}

// Info answers disco#info about a room, under its own name, or about one of its occupants.
func (h *Handler) Info(ctx context.Context, q disco.Query) (disco.Info, error) {
	switch {
	case q.Nick != "" && q.Node == "":
		return disco.Info{
			Identities: []disco.Identity{{Category: "client", Type: "pc", Name: q.Nick}},
			Features:   h.asked(disco.NSInfo, disco.NSVCard),
		}, nil
	case q.Node == nsTraffic:
		_, caps := h.look(ctx, q)
		return disco.Info{Features: traffic(caps)}, nil
	case q.Node == nodeNick:
		return h.reserved(ctx, q), nil
	case q.Node != "":
		return disco.Info{}, core.E(core.NotFound, "muc: disco", "There is nothing of that name here.")
	}
	state, caps := h.look(ctx, q)
	h.settle(ctx, q, &state)
	return disco.Info{
		Identities: []disco.Identity{{Category: "conference", Type: "text", Name: roomName(q.To)}},
		Features:   h.features(state.Settings, caps),
		Forms:      []disco.Form{{Type: nsInfo, Fields: about(q.To, state)}},
	}, nil
}

// asked adds to features what a correspondent's program can be asked.
func (h *Handler) asked(features ...string) []string {
	if h.domain.Network.Caps.Querier != nil {
		features = append(features, xmpp.NSVersion, query.NSTime, xmpp.NSPing)
	}
	return features
}

// features are what a room says it is (behaviour 44).
func (h *Handler) features(s *core.Settings, caps core.Caps) []string {
	if s == nil {
		s = &core.Settings{}
	}
	either := func(is bool, yes, no string) string {
		if is {
			return yes
		}
		return no
	}
	all := append([]string{
		disco.NSInfo, disco.NSItems, disco.NSVCard, NSMuc, nsSelfPing, NSStanzaID, NSOccupant, nsHats, "urn:xmpp:ping", nsRegister,
		"muc_persistent", "muc_nonanonymous",
		either(s.MembersOnly, "muc_membersonly", "muc_open"),
		either(s.Hidden, "muc_hidden", "muc_public"),
		either(s.Moderated, "muc_moderated", "muc_unmoderated"),
		either(s.Password != "", "muc_passwordprotected", "muc_unsecured"),
	}, h.rooms.cfg.Features...)
	if caps.Querier != nil {
		all = append(all, xmpp.NSVersion)
	}
	return append(all, traffic(caps)...)
}

// about are the fields of muc#roominfo (XEP-0045 section 15.5.2). How many are in, and what they talk about, is known
// to who is in.
func about(t core.Target, state core.RoomJoined) []disco.FormField {
	fields := []disco.FormField{{Var: "muc#roominfo_description", Values: []string{orElse(state.Topic.Text, roomName(t))}}}
	if state.Self.Nick == "" {
		return fields
	}
	changes := "1"
	if state.Settings != nil && state.Settings.TopicLocked {
		changes = "0"
	}
	return append(fields,
		disco.FormField{Var: "muc#roominfo_occupants", Values: []string{strconv.Itoa(len(state.Members) + 1)}},
		disco.FormField{Var: "muc#roominfo_subject", Values: []string{state.Topic.Text}},
		disco.FormField{Var: "muc#roominfo_subjectmod", Values: []string{changes}},
	)
}

// look is the room as the asker is in it, and what its network can do; empty, and what such networks can do at their
// best, if they are not in: to look is not to connect.
func (h *Handler) look(ctx context.Context, q disco.Query) (core.RoomJoined, core.Caps) {
	can := h.domain.Network.Caps
	a, rm := h.in(ctx, q)
	if rm == nil {
		return core.RoomJoined{}, can
	}
	var state core.RoomJoined
	_ = h.with(ctx, a, func(caps core.Caps) error { // what is not known is not said
		can = caps
		found, err := caps.Rooms.Snapshot(q.To.Address)
		if err == nil {
			state = *found
		}
		return err
	})
	return state, can
}

// settle asks the network what a room is like that the asker is in, if it has not said so yet. What it does not say in
// time is taken to be as usual.
func (h *Handler) settle(ctx context.Context, q disco.Query, state *core.RoomJoined) {
	if state.Self.Nick == "" || state.Settings != nil {
		return
	}
	a, rm := h.in(ctx, q)
	if rm == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	_ = h.with(ctx, a, func(caps core.Caps) error {
		if caps.Configurer == nil {
			return nil
		}
		s, err := caps.Configurer.Settings(ctx, q.To.Address)
		if err == nil {
			state.Settings = &s
		}
		return err
	})
}

// in returns the asker's account and the room; nil if they are not in.
func (h *Handler) in(ctx context.Context, q disco.Query) (core.Account, *room) {
	if q.User == "" {
		return core.Account{}, nil
	}
	a, err := h.rooms.gw.Account(ctx, q.User, h.domain.Network.Driver.Name, q.To.Realm)
	if err != nil {
		return a, nil
	}
	return a, h.rooms.find(core.Ref{Account: a.ID, Peer: q.To.Address})
}

// reserved answers which nick is the asker's in a room: the one that they have on the network.
func (h *Handler) reserved(ctx context.Context, q disco.Query) disco.Info {
	_, rm := h.in(ctx, q)
	if rm == nil {
		return disco.Info{}
	}
	_, me := rm.present()
	if me.Nick == "" {
		return disco.Info{}
	}
	return disco.Info{Identities: []disco.Identity{{Category: "conference", Type: "text", Name: h.rooms.resource(me.Nick)}}}
}

// Items answers disco#items: of a room, who is in, to who is in as well; of an occupant or the gateway by the node
// muc#rooms, the rooms that the asker is in.
func (h *Handler) Items(ctx context.Context, q disco.Query) ([]disco.Item, error) {
	if q.Node == nsRooms {
		return h.joinedItems(q), nil
	}
	switch {
	case q.To.Room && q.Nick != "" && q.Node != "":
		return nil, core.E(core.Unsupported, "muc: disco", "Somebody in a room offers nothing of that kind.")
	case !q.To.Room || q.Nick != "":
		return nil, nil
	}
	jid, err := h.domain.JID(q.To.Realm, q.To.Address, true)
	if err != nil {
		return nil, err
	}
	var items []disco.Item
	state, _ := h.look(ctx, q)
	if state.Self.Nick != "" {
		for _, m := range append(state.Members, state.Self) {
			items = append(items, disco.Item{JID: jid + "/" + h.rooms.resource(m.Nick)})
		}
	}
	return bounded(items), nil
}

// listWithin is how long a list is waited for: large networks have long ones, and what has come by then is answered.
const listWithin = 10 * time.Second

// maxListed is how many items an answer has at most: it must fit into a stanza.
const maxListed = 500

func bounded(items []disco.Item) []disco.Item { return items[:min(len(items), maxListed)] }

// List answers disco#items of a network: its rooms that anybody can see, those with the most members first. While the
// network still tells them they are in its own order, so that one part can follow another. The list may be long: package
// disco answers with a page of it.
func (h *Handler) List(ctx context.Context, q disco.Query) (items []disco.Item, all bool, err error) {
	if q.User == "" {
		return nil, false, core.E(core.Unenrolled, "muc: list", "")
	}
	a, err := h.rooms.gw.Account(ctx, q.User, h.domain.Network.Driver.Name, q.To.Realm)
	if err != nil {
		return nil, false, err
	}
	rooms, all := []core.Listed(nil), true
	ctx, cancel := context.WithTimeout(ctx, listWithin)
	defer cancel()
	err = h.with(ctx, a, func(caps core.Caps) (err error) {
		if caps.RoomLister != nil {
			rooms, all, err = caps.RoomLister.RoomList(ctx)
		}
		return err
	})
	if err != nil {
		return nil, false, err
	}
	if all {
		slices.SortStableFunc(rooms, func(a, b core.Listed) int { return b.Members - a.Members })
	}
	for _, room := range rooms {
		if jid, err := h.domain.JID(q.To.Realm, room.Room, true); err == nil {
			items = append(items, disco.Item{JID: jid, Name: string(room.Room) + " (" + strconv.Itoa(room.Members) + ")"})
		}
	}
	return items, all, nil
}

func (h *Handler) joinedItems(q disco.Query) []disco.Item {
	var items []disco.Item
	for _, rm := range h.rooms.having(q.From.String()) {
		if rm.domain == h.domain {
			items = append(items, disco.Item{JID: rm.jid})
		}
	}
	slices.SortFunc(items, func(a, b disco.Item) int {
		if a.JID < b.JID {
			return -1
		}
		return 1
	})
	return bounded(items)
}
