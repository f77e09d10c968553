package privilege

import (
	"strings"

	"gangway/core/xmpp/stream"
)

// Namespaces of XEP-0356, newest first. Prosody speaks NS2, ejabberd to 23.01 NS1.
const (
	NS2 = "urn:xmpp:privilege:2"
	NS1 = "urn:xmpp:privilege:1"

	nsForward = "urn:xmpp:forward:0" // XEP-0297
)

// Access is what may be done with rosters or with requests of one namespace.
type Access uint8

// The bits of an Access.
const (
	Get  Access = 1 << iota
	Set         //
	Both = Get | Set
)

// Presence is whose presence the server tells us.
type Presence uint8

// The kinds of presence privilege; each contains those before it.
const (
	NoPresence Presence = iota
	Users               // managed_entity: the server's users'
	Contacts            // roster: and that of everybody in their rosters
)

// Grants is what the host server grants at present. The zero Grants is nothing.
type Grants struct {
	NS       string // the namespace that the server speaks: NS2 or NS1
	Roster   Access
	Push     bool // roster changes by others are told to us
	Message  bool // messages from users: see Entity.Forward, which wants NS2, too
	Presence Presence
	IQ       map[string]Access // requests as users, by namespace; not to be changed
}

// maxNamespaces bounds what an advertisement may name.
const maxNamespaces = 256

// read reads an advertisement. What it does not know it leaves out.
func read(el *stream.Element) Grants {
	g := Grants{NS: el.Space()}
	for perm := range el.Children() {
		if !perm.Is(g.NS, "perm") {
			continue
		}
		typ := perm.Attr("type")
		switch perm.Attr("access") {
		case "roster":
			g.Roster = access(typ)
			g.Push = g.Roster&Get != 0 && g.NS == NS2 && perm.Attr("push") != "false"
		case "message":
			g.Message = typ == "outgoing"
		case "presence":
			g.Presence = presence(typ)
		case "iq":
			if g.NS == NS2 {
				g.IQ = namespaces(perm)
			}
		}
	}
	return g
}

func access(typ string) Access {
	switch typ {
	case "get":
		return Get
	case "set":
		return Set
	case "both":
		return Both
	}
	return 0
}

func presence(typ string) Presence {
	switch typ {
	case "managed_entity":
		return Users
	case "roster":
		return Contacts
	}
	return NoPresence
}

func namespaces(perm *stream.Element) map[string]Access {
	all := map[string]Access{}
	addNamespaces(all, perm)
	return all
}

// addNamespaces looks into namespaces, too: Prosody's mod_privilege puts each
// into the one before.
func addNamespaces(all map[string]Access, el *stream.Element) {
	for ns := range el.Children() {
		if ns.Local() != "namespace" {
			continue
		}
		name, a := ns.Attr("ns"), access(ns.Attr("type"))
		if name != "" && a != 0 && len(all) < maxNamespaces {
			all[strings.Clone(name)] = a
		}
		addNamespaces(all, ns)
	}
}
