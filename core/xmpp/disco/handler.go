package disco

import (
	"context"
	"slices"
	"sync/atomic"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Gateway is what disco asks of the hall.
type Gateway interface {
	Account(ctx context.Context, user core.UserID, network, realm string) (core.Account, error)
	Allowed(user core.UserID) bool
}

// Query is one disco question that somebody else answers.
type Query struct {
	From addr.JID    // who asks
	User core.UserID // the same, normalised; empty if it is not a person
	To   core.Target // what is asked about; the zero Target is the gateway itself
	Nick string      // the occupant of the room To; empty: the room
	Node string
}

// Answerer answers for a kind of address or node: package muc for rooms, a list
// of commands for its node. NotFound for what is not there.
type Answerer interface {
	Info(ctx context.Context, q Query) (Info, error)
	Items(ctx context.Context, q Query) ([]Item, error)
}

// Rooms answers for rooms, and for the list of those of a network.
type Rooms interface {
	Answerer
	// List returns the rooms of the Realm that is asked about; all is false where there are, or may be, more.
	List(ctx context.Context, q Query) (items []Item, all bool, err error)
}

// Config is what a Handler is made of.
type Config struct {
	Domain   *edge.Domain
	VCard    xmpp.Handler // answers vCard-temp requests; nil: by name only
	Personal Personal     // what else there is to say about who is who; nil: nothing
	Gateway  Gateway
	Features []string            // of the gateway: the doors there are, such as "jabber:iq:register"
	Contacts []string            // features of every correspondent, beyond what the network can do
	Admins   func() []string     // bare JIDs of whom to turn to about the gateway, as they are now; nil: nobody
	Rooms    Rooms               // nil: there are none
	Nodes    map[string]Answerer // for nodes of the gateway
}

// Personal knows the nodes of personal eventing (XEP-0163) of a correspondent, or
// with the zero Target of the gateway, for a user who could write there. Whoever
// is it also answers requests for their items, and for vCard4 (XEP-0292).
type Personal interface {
	Nodes(ctx context.Context, user core.UserID, t core.Target) ([]string, error)
}

// Handler answers disco and vCard requests for a domain and every address at it.
type Handler struct {
	cfg      Config
	features []string // of the domain
	domain   atomic.Pointer[domain]
	client   entity // every correspondent's full JID
}

// domain is what the domain is, as long as the same people are to turn to. Whoever was shown other capabilities before
// asks about them by their old node.
type domain struct {
	admins []string
	now    entity
	before []entity // the latest first
}

// mostBefore is how many capabilities are remembered that were shown before.
const mostBefore = 8

// entity is something with capabilities.
type entity struct {
	info Info
	ver  string
}

func entityOf(i Info) entity { return entity{i, i.Ver()} }

// isNode reports whether node is the one that a presence with these caps names.
func (e entity) isNode(node string) bool { return node == Node+"#"+e.ver }

var _ xmpp.Handler = (*Handler)(nil)

// New makes a Handler. It starts nothing.
func New(cfg Config) *Handler {
	gateway, client := cfg.Features, cfg.Contacts
	if cfg.Personal != nil {
		gateway = append(slices.Clone(gateway), cards()...)
		client = append(slices.Clone(client), cards()...)
	}
	return &Handler{cfg: cfg, features: gateway, client: entityOf(clientInfo(cfg.Domain.Network, client))}
}

// gateway is what the domain is now.
func (h *Handler) gateway() *domain {
	var admins []string
	if h.cfg.Admins != nil {
		admins = h.cfg.Admins()
	}
	last := h.domain.Load()
	if last != nil && slices.Equal(last.admins, admins) {
		return last
	}
	next := &domain{admins: slices.Clone(admins), now: entityOf(gatewayInfo(h.cfg.Domain.Network, h.features, admins))}
	if last != nil {
		next.before = append([]entity{last.now}, last.before...)
		next.before = next.before[:min(len(next.before), mostBefore)]
	}
	h.domain.CompareAndSwap(last, next) // if somebody was quicker, it was with the same
	return next
}

// called is what the domain is, or was, by the node that its presence names.
func (d *domain) called(node string) (i Info, known bool) {
	for _, e := range append([]entity{d.now}, d.before...) {
		if e.isNode(node) {
			return e.info, true
		}
	}
	return Info{}, false
}

// GatewayVer returns the verification string of the domain, for the caps of its
// presence.
func (h *Handler) GatewayVer() string { return h.gateway().now.ver }

// ContactVer returns the verification string of every correspondent's full JID,
// for the caps of its presence.
func (h *Handler) ContactVer() string { return h.client.ver }

// Serve answers a request.
func (h *Handler) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	payload := st.Only()
	if !st.Request() || payload == nil {
		return core.E(core.Invalid, "disco: request", "")
	}
	if st.Type != "get" {
		return xmpp.NewError("cancel", "not-allowed", "That cannot be changed here.")
	}
	q, err := h.query(st, payload.Attr("node"))
	if err != nil {
		return err
	}
	switch payload.Space() {
	case NSInfo:
		info, err := h.info(ctx, q)
		if err != nil {
			return err
		}
		return xmpp.Result(w, st, func(enc *stream.Encoder) { info.write(enc, q.Node) })
	case NSItems:
		items, all, err := h.items(ctx, q)
		if err != nil {
			return err
		}
		p, err := pageOf(payload.Child(NSPages, "set"), items, all)
		if err != nil {
			return err
		}
		return xmpp.Result(w, st, func(enc *stream.Encoder) { p.write(enc, q.Node) })
	case NSVCard:
		name, err := h.name(ctx, q)
		if err != nil {
			return err
		}
		return xmpp.Result(w, st, func(enc *stream.Encoder) {
			enc.Start("vCard", NSVCard)
			enc.Leaf("FN", "", name)
			enc.End()
		})
	}
	return core.E(core.Unsupported, "disco: request", "")
}

// question is a Query and how its address was written.
type question struct {
	Query
	resource string
}

// query reads who asks about what.
func (h *Handler) query(st *stream.Stanza, node string) (question, error) {
	q := question{Query: Query{Node: node}}
	var err error
	if q.From, err = addr.Parse(st.From); err != nil {
		return q, xmpp.NewError("modify", "jid-malformed", "")
	}
	q.User, _, _ = h.cfg.Domain.User(st.From) // a server may ask, too: it is nobody's user
	to, err := addr.Parse(st.To)
	if err != nil {
		return q, xmpp.NewError("modify", "jid-malformed", "")
	}
	q.resource = to.Resource()
	if to.Local() == "" {
		return q, nil
	}
	if q.To, err = h.cfg.Domain.Target(to.Local()); err != nil {
		return q, err
	}
	if q.To.Room {
		q.Nick = q.resource
	}
	if q.To.Address != "" {
		err = h.cfg.Domain.Canonical(to, q.To)
	}
	return q, err
}

func (h *Handler) info(ctx context.Context, q question) (Info, error) {
	node, known, err := h.placed(q)
	switch {
	case err != nil:
		return Info{}, err
	case known:
		return node.Info(ctx, q.Query)
	case q.To.Room:
		return h.room().Info(ctx, q.Query)
	case q.To.Address != "":
		return h.contact(ctx, q)
	case q.Node == "":
		return h.gateway().now.info, nil
	}
	if q.To == (core.Target{}) {
		if info, known := h.gateway().called(q.Node); known {
			return info, nil
		}
	}
	return h.node(q.Node).Info(ctx, q.Query)
}

// items are what there is at an address; all is false where there may be more.
func (h *Handler) items(ctx context.Context, q question) (items []Item, all bool, err error) {
	node, known, err := h.placed(q)
	switch {
	case err != nil:
		return nil, true, err
	case known:
		items, err = node.Items(ctx, q.Query)
	case q.To.Room:
		items, err = h.room().Items(ctx, q.Query)
	case q.To.Address != "":
		if _, err := h.contact(ctx, q); err != nil {
			return nil, true, err
		}
		items, err = h.nodes(ctx, q)
	case q.Node != "":
		items, err = h.node(q.Node).Items(ctx, q.Query)
	case h.cfg.Rooms != nil && q.To.Realm != "":
		return h.cfg.Rooms.List(ctx, q.Query)
	case h.cfg.Rooms != nil && q.User != "" && h.cfg.Domain.Network.Sole() != "":
		q.To.Realm = h.cfg.Domain.Network.Sole() // the gateway is the network
		return h.cfg.Rooms.List(ctx, q.Query)
	case h.cfg.Rooms != nil:
		items, err = h.cfg.Rooms.Items(ctx, q.Query)
	}
	return items, true, err
}

// placed returns who answers for a node of the gateway at another address, such as the commands for a room. known is false
// if there is no such node; those who are in a room have none.
func (h *Handler) placed(q question) (a Answerer, known bool, err error) {
	if q.To.Address == "" {
		return nil, false, nil
	}
	if a, known = h.cfg.Nodes[q.Node]; known && q.Nick != "" {
		err = core.E(core.Unsupported, "disco: query", "Who is in a room has nothing of that kind.")
	}
	return a, known, err
}

// contact describes a correspondent to whoever has an account to reach them.
func (h *Handler) contact(ctx context.Context, q question) (Info, error) {
	if err := h.registered(ctx, q); err != nil {
		return Info{}, err
	}
	switch {
	case q.resource == "" && q.Node == "":
		info := accountInfo(h.cfg.Domain.Network, h.cfg.Domain.Network.Transport.Format(q.To), h.cfg.Contacts)
		if h.cfg.Personal != nil {
			info = info.withEvents()
		}
		return info, nil
	case q.resource == edge.Resource && (q.Node == "" || h.client.isNode(q.Node)):
		return h.client.info, nil
	}
	return Info{}, notFound()
}

// nodes are the nodes of personal eventing of a correspondent's account.
func (h *Handler) nodes(ctx context.Context, q question) ([]Item, error) {
	if h.cfg.Personal == nil || q.resource != "" || q.Node != "" {
		return nil, nil
	}
	nodes, err := h.cfg.Personal.Nodes(ctx, q.User, q.To)
	if err != nil {
		return nil, err
	}
	jid, err := h.cfg.Domain.JID(q.To.Realm, q.To.Address, false)
	if err != nil {
		return nil, err
	}
	items := make([]Item, len(nodes))
	for i, node := range nodes {
		items[i] = Item{JID: jid, Node: node}
	}
	return items, nil
}

// registered says whether the asker could write to the address. It makes no
// account: to look is not to use.
func (h *Handler) registered(ctx context.Context, q question) error {
	n := h.cfg.Domain.Network
	if n.Driver.Implicit {
		if q.User != "" && h.cfg.Gateway.Allowed(q.User) {
			return nil
		}
		return core.E(core.Unenrolled, "disco: contact", "")
	}
	if q.User == "" {
		return core.E(core.Unenrolled, "disco: contact", "")
	}
	_, err := h.cfg.Gateway.Account(ctx, q.User, n.Driver.Name, q.To.Realm)
	return err
}

// name is the full name on the vCard of an address.
func (h *Handler) name(ctx context.Context, q question) (string, error) {
	n := h.cfg.Domain.Network
	switch {
	case q.To == (core.Target{}):
		return n.Driver.Title, nil
	case q.Nick != "":
		return q.Nick, nil
	case q.To.Room && h.cfg.Rooms == nil:
		return "", notFound()
	case q.To.Address != "":
		if err := h.registered(ctx, q); err != nil {
			return "", err
		}
	}
	return n.Transport.Format(q.To), nil
}

func (h *Handler) room() Answerer {
	if h.cfg.Rooms == nil {
		return nobody{}
	}
	return h.cfg.Rooms
}

func (h *Handler) node(name string) Answerer {
	if a, ok := h.cfg.Nodes[name]; ok {
		return a
	}
	return nobody{}
}

// nobody answers for what is not there.
type nobody struct{}

func (nobody) Info(context.Context, Query) (Info, error)    { return Info{}, notFound() }
func (nobody) Items(context.Context, Query) ([]Item, error) { return nil, notFound() }

func notFound() error {
	return core.E(core.NotFound, "disco: query", "There is nothing of that name here.")
}

// Register registers the requests that a Handler answers.
func (h *Handler) Register(r *xmpp.Router) {
	r.IQ("get", NSInfo, "query", h)
	r.IQ("get", NSItems, "query", h)
	if h.cfg.VCard != nil {
		r.IQ("get", NSVCard, "vCard", h.cfg.VCard)
	} else {
		r.IQ("get", NSVCard, "vCard", h)
	}
}
