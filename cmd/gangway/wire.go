package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"gangway/config"
	"gangway/core"
	"gangway/core/metrics"
	"gangway/core/xmpp"
	"gangway/core/xmpp/chat"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/mam"
	"gangway/core/xmpp/muc"
	"gangway/core/xmpp/privilege"
	"gangway/core/xmpp/query"
	"gangway/core/xmpp/register"
	"gangway/core/xmpp/roster"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/vcard"
)

// xmppSide is the XMPP edge: one link for each transport's domain, and what is shared between them.
type xmppSide struct {
	edge   *edge.Edge
	rooms  *muc.Rooms
	roster *roster.Roster
	cards  *vcard.Cards
	links  []*link
}

// link is a component link with its figures.
type link struct {
	*xmpp.Link
	domain     *edge.Domain
	reconnects atomic.Int64
	in, out    atomic.Int64
}

// wire builds the XMPP edge over the gateway.
func wire(a *app) (*xmppSide, error) {
	rooms, err := newRooms(a)
	if err != nil {
		return nil, err
	}
	cards := vcard.New(vcard.Config{Gateway: a.gateway, Accounts: a.mapping, Contacts: a.mapping})
	x := &xmppSide{rooms: rooms, cards: cards, roster: roster.New(roster.Config{
		Gateway: a.gateway, Accounts: a.mapping, Contacts: a.mapping, Sessions: a.gateway, Notes: a.mapping.Notes,
		Cards: cards, Logger: a.log,
	})}
	talk := chat.New(chat.Config{Gateway: a.gateway, Ledger: a.mapping, Contacts: a.mapping, Choices: a.mapping, Window: a.gateway, Report: a.gateway.Report, Returned: a.gateway.Returned, Logger: a.log})
	var domains []*edge.Domain
	for i := range a.cfg.Transports {
		t := &a.cfg.Transports[i]
		router := xmpp.NewRouter(xmpp.RouterConfig{Logger: a.log})
		l, err := newLink(a, t, router, x.roster)
		if err != nil {
			return nil, placed(t, err)
		}
		x.links = append(x.links, l)
		domains = append(domains, l.domain)
		x.route(a, router, l.domain, talk)
	}
	a.mapping.Watch(func(user core.UserID, network string) {
		x.roster.Changed(user, network)
		a.gateway.Reconsider(user, network)
	})
	cards.Watch(x.roster.Carded)
	x.edge, err = edge.New(edge.Config{Domains: domains, Chat: x.rooms.Whispers(talk), Roster: x.roster, Rooms: x.rooms})
	return x, err
}

// newRooms makes the table of rooms. Occupants are named by a key that follows from the one that seals secrets.
func newRooms(a *app) (*muc.Rooms, error) {
	key, err := storeKey(a.cfg)
	if err != nil {
		return nil, fmt.Errorf("store.key: %w", err)
	}
	cfg := muc.Config{
		Gateway: a.gateway, Secret: key.Derive("muc occupant-id"), Notes: a.mapping.Notes,
		Choices: a.mapping, Features: []string{register.NSCommands}, Logger: a.log,
	}
	if a.history.enabled {
		cfg.Archive, cfg.Features = a.history, append(cfg.Features, mam.Features()...)
	}
	return muc.New(cfg), nil
}

// restoreRooms has the accounts enter their persistent rooms again.
func (x *xmppSide) restoreRooms(ctx context.Context, a *app) {
	for _, n := range a.gateway.Networks() {
		if n.Caps.Rooms == nil {
			continue
		}
		accounts, err := a.mapping.Accounts(ctx, n.Driver.Name)
		if err != nil {
			if ctx.Err() == nil {
				a.log.Warn("persistent rooms not entered", "network", n.Driver.Name, "err", err)
			}
			continue
		}
		x.rooms.Restore(ctx, x.edge.Domain(n.Driver.Name), accounts)
	}
}

// newLink makes a transport's link to the host server.
func newLink(a *app, t *config.Transport, router *xmpp.Router, lists *roster.Roster) (*link, error) {
	server := t.Server
	if server == "" {
		server = a.cfg.XMPP.Server
	}
	var secure *tls.Config
	if a.cfg.XMPP.TLS {
		host, _, err := net.SplitHostPort(server)
		if err != nil {
			return nil, err
		}
		secure = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	name := strings.ToLower(t.Domain)
	privileges := privilege.New(privilege.Config{Domain: name, Host: a.cfg.XMPP.Domain, Logger: a.log})
	l := &link{domain: &edge.Domain{Name: name, Network: a.gateway.Network(t.Name), Privileges: privileges, Aliases: a.mapping.Aliases(t.Name)}}
	var err error
	l.Link, err = xmpp.New(xmpp.Config{
		Server: server, Domain: t.Domain, Secret: t.Secret.Reveal(), HostDomain: a.cfg.XMPP.Domain,
		TLS: secure, Insecure: a.cfg.XMPP.Insecure, Router: router, Logger: a.log,
		Trace: &xmpp.Trace{
			State: func(_ string, s xmpp.Status) {
				privileges.State(s)
				lists.State(l.domain, s)
				if s.State == xmpp.Online {
					l.reconnects.Add(1)
				}
			},
			In:  func(string, *stream.Stanza) { l.in.Add(1) },
			Out: func(_ string, stanzas, _ int) { l.out.Add(int64(stanzas)) },
		},
	})
	l.domain.Link = l.Link
	privileges.Attach(l.Link)
	a.uploads.Over(t.Name, l.Link, privileges)
	return l, err
}

// route gives the stanzas of a domain to whoever serves them.
func (x *xmppSide) route(a *app, router *xmpp.Router, d *edge.Domain, talk *chat.Chat) {
	commands := x.desk(a, d)
	commands.Register(router)
	messages := &edge.Switch{Domain: d, Self: talk.Multicast(d, commands.Messages()), Contact: commands.Networks(commands.Conversations(talk.Handler(d)))}
	var answers disco.Rooms
	asking := query.Config{Domain: d, Gateway: a.gateway}
	var rooms *muc.Handler
	if d.Network.Caps.Rooms != nil {
		rooms = x.rooms.On(d)
		asking.Rooms = rooms
		answers = rooms
		messages.Room = rooms.Messages()
		if a.history.enabled {
			mam.New(mam.Config{Domain: d, Gateway: a.gateway, Archive: a.history, Rooms: x.rooms}).Register(router)
		}
	}
	asker := query.New(asking)
	ping := asker.Ping(xmpp.Ping())
	cards := x.cards.On(d)
	cards.Register(router)
	about := disco.New(disco.Config{
		Domain: d, VCard: cards, Personal: cards, Gateway: a.gateway, Rooms: answers, Features: commands.Features(), Nodes: commands.Nodes(),
		Admins: func() []string { return a.access.Load().Admins },
	})
	about.Register(router)
	present := x.roster.On(d, about)
	presence := &edge.Switch{Domain: d, Self: present, Contact: present}
	if rooms != nil {
		presence.Room = rooms.Presence()
		rooms.Register(router, ping)
	} else {
		router.IQ("get", xmpp.NSPing, "ping", ping)
	}
	asker.Register(router, xmpp.Version("gangway", versionText()))
	if rooms != nil {
		rooms.Invitations(router, messages)
	}
	d.Privileges.Register(router, messages)
	talk.RegisterReports(router, d, messages)
	router.Presence(presence)
}

// linkFigures are the links as metrics show them.
func (a *app) linkFigures() []metrics.Link {
	var all []metrics.Link
	for _, l := range a.links {
		all = append(all, metrics.Link{
			Domain: l.Domain(), Up: l.Status().State == xmpp.Online, Reconnects: l.reconnects.Load(),
			In: l.in.Load(), Out: l.out.Load(),
		})
	}
	return all
}

var _ core.Edge = (*edge.Edge)(nil)
