package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"gangway/config"
	"gangway/core"
	"gangway/core/outbox"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
)

// desk answers the administrator's questions and carries out their orders, whoever carried them here.
type desk struct {
	app    *app
	reload func() (config.Changes, error) // nil: no gateway is running
}

// The rows that the desk answers with.
type (
	userRow struct {
		User     string    `json:"user"`
		Standing string    `json:"standing"`
		Note     string    `json:"note,omitempty"`
		Network  string    `json:"network"` // empty: they have no account
		Realm    string    `json:"realm,omitempty"`
		Address  string    `json:"address"`
		State    string    `json:"state"`
		Since    time.Time `json:"since"`
	}
	contactRow struct {
		Network string `json:"network"`
		Address string `json:"address"`
		JID     string `json:"jid,omitempty"`
		Name    string `json:"name,omitempty"`
		Alias   string `json:"alias,omitempty"`
		Blocked bool   `json:"blocked,omitempty"`
	}
	letterRow struct {
		Seq       int64     `json:"seq"`
		User      string    `json:"user"`
		Network   string    `json:"network"`
		Direction string    `json:"direction"`
		Dead      bool      `json:"dead"`
		Queued    time.Time `json:"queued"`
		Next      time.Time `json:"next,omitzero"`
		Attempts  int       `json:"attempts"`
		What      string    `json:"what"`
		ID        string    `json:"id,omitempty"`
		Error     string    `json:"error,omitempty"`
	}
	statusRow struct {
		Part string `json:"part"`
		OK   bool   `json:"ok"`
		Text string `json:"text,omitempty"`
	}
)

// The orders.
type (
	linkOrder struct {
		User, Network, Realm, Address, Name, Secret string
		Now                                         bool // though the address was somebody else's until lately
	}
	userOrder    struct{ User, Network, Standing string }
	contactOrder struct{ User, Network, Address, Name, Alias string }
	queueFilter  struct {
		User, Network string
		Dead          bool
		After         int64
		Limit         int
	}
	letterOrder struct{ Seq int64 }
)

// do carries out one operation. Arguments and result are JSON.
func (d *desk) do(ctx context.Context, op string, args json.RawMessage) (any, error) {
	if out, known, err := d.people(ctx, op, args); known {
		return out, err
	}
	if out, known, err := d.imports(ctx, op, args); known {
		return out, err
	}
	switch op {
	case "user.list":
		return with(args, func(o userOrder) (any, error) { return d.users(ctx, o) })
	case "user.link":
		return with(args, func(o linkOrder) (any, error) { return d.link(ctx, o) })
	case "user.unlink":
		return with(args, func(o userOrder) (any, error) { return nil, d.unlink(ctx, o) })
	case "contact.list":
		return with(args, func(o contactOrder) (any, error) { return d.contacts(ctx, o) })
	case "contact.add":
		return with(args, func(o contactOrder) (any, error) { return d.addContact(ctx, o) })
	case "contact.remove":
		return with(args, func(o contactOrder) (any, error) { return nil, d.removeContact(ctx, o) })
	case "queue.list":
		return with(args, func(o queueFilter) (any, error) { return d.letters(ctx, o) })
	case "queue.retry":
		return with(args, func(o letterOrder) (any, error) { return nil, d.app.queue.Retry(ctx, o.Seq) })
	case "queue.drop":
		return with(args, func(o letterOrder) (any, error) { return nil, d.app.queue.Drop(ctx, o.Seq) })
	case "status":
		return d.status(ctx)
	case "check":
		return d.check(ctx), nil
	case "reload":
		if d.reload == nil {
			return nil, core.E(core.Unavailable, "reload", "No gateway is running with this configuration.")
		}
		return d.reload()
	}
	return nil, core.E(core.Invalid, "desk", "There is no operation \""+op+"\".")
}

// stream carries out an operation whose result is no JSON value but a text of any length. known is false if op is none.
func (d *desk) stream(ctx context.Context, op string, args json.RawMessage, w io.Writer) (known bool, err error) {
	if op != "user.export" {
		return false, nil
	}
	_, err = with(args, func(o personOrder) (any, error) {
		u, err := user(o.User)
		if err != nil {
			return nil, err
		}
		return nil, d.app.export(ctx, u, w)
	})
	return true, err
}

func with[T any](args json.RawMessage, fn func(T) (any, error)) (any, error) {
	var o T
	if err := json.Unmarshal(args, &o); err != nil {
		return nil, core.Wrap(core.Invalid, "desk: arguments", err)
	}
	return fn(o)
}

func (d *desk) network(name string) (*core.Network, error) {
	if n := d.app.gateway.Network(name); n != nil {
		return n, nil
	}
	return nil, core.E(core.NotFound, "desk: network",
		fmt.Sprintf("There is no transport %q in the configuration. There are: %s.", name, strings.Join(d.app.networkNames(), ", ")))
}

// user normalises a bare JID that somebody typed.
func user(text string) (core.UserID, error) {
	j, err := addr.Parse(text)
	if err != nil || j.Local() == "" || !j.IsBare() {
		return "", core.E(core.Invalid, "desk: user", fmt.Sprintf("%q is no bare JID, such as alice@example.org.", text))
	}
	return core.UserID(j.Key()), nil
}

func (d *desk) users(ctx context.Context, o userOrder) ([]userRow, error) {
	people, err := d.standings(ctx, o)
	if err != nil {
		return nil, err
	}
	var rows []userRow
	seen := map[core.UserID]bool{}
	for _, n := range d.app.gateway.Networks() {
		accounts, err := d.app.mapping.Accounts(ctx, n.Driver.Name)
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			seen[a.User] = true
			p, listed := people[a.User]
			if !listed && o.Standing != "" || o.User != "" && o.User != string(a.User) || o.Network != "" && o.Network != a.Network {
				continue
			}
			state := "-"
			if d.reload != nil {
				state = d.app.gateway.Status(a.ID).Link.String()
			}
			rows = append(rows, userRow{
				User: string(a.User), Standing: p.Standing.String(), Note: p.Note, Network: a.Network, Realm: a.Realm,
				Address: string(a.Own), State: state, Since: a.Created,
			})
		}
	}
	for _, u := range slices.Sorted(maps.Keys(people)) {
		if seen[u] || o.Network != "" || o.User != "" && o.User != string(u) {
			continue
		}
		p := people[u]
		rows = append(rows, userRow{User: string(u), Standing: p.Standing.String(), Note: p.Note, State: "-", Since: p.Since})
	}
	return rows, nil
}

// link gives a user an account, as the administrator may for anybody.
func (d *desk) link(ctx context.Context, o linkOrder) (userRow, error) {
	u, err := user(o.User)
	if err != nil {
		return userRow{}, err
	}
	n, err := d.network(o.Network)
	if err != nil {
		return userRow{}, err
	}
	target, err := n.Transport.Parse(o.Address)
	if err != nil {
		return userRow{}, err
	}
	account := core.Account{
		User: u, Network: o.Network, Realm: orRealm(o.Realm, target.Realm), Own: target.Address, Name: o.Name,
	}
	if o.Secret != "" {
		account.Secret = []byte(o.Secret)
	}
	if current, err := d.app.mapping.AccountOf(ctx, u, o.Network, account.Realm); err == nil {
		account.ID = current.ID
	}
	if _, err := n.Transport.Open(account); err != nil {
		return userRow{}, err
	}
	if o.Now {
		if err := d.app.mapping.Free(ctx, o.Network, account.Own); err != nil {
			return userRow{}, err
		}
	}
	linked, err := d.linked(ctx, account)
	if err != nil {
		return userRow{}, err
	}
	return userRow{User: string(linked.User), Network: linked.Network, Realm: linked.Realm, Address: string(linked.Own), Since: linked.Created}, nil
}

func orRealm(given, parsed string) string {
	if given != "" {
		return given
	}
	return parsed
}

func (d *desk) unlink(ctx context.Context, o userOrder) error {
	u, err := user(o.User)
	if err != nil {
		return err
	}
	if _, err := d.network(o.Network); err != nil {
		return err
	}
	return d.app.gateway.Unenroll(ctx, u, o.Network)
}

func (d *desk) letters(ctx context.Context, o queueFilter) ([]letterRow, error) {
	list, err := d.app.queue.List(ctx, outbox.Filter{
		User: core.UserID(o.User), Network: o.Network, Dead: o.Dead, After: o.After, Limit: o.Limit,
	})
	if err != nil {
		return nil, err
	}
	var rows []letterRow
	for _, l := range list {
		row := letterRow{
			Seq: l.Seq, User: string(l.User), Network: l.Network, Direction: l.Direction.String(), Dead: l.Dead,
			Queued: l.Queued, Next: l.NotBefore, Attempts: l.Attempts, What: "unreadable",
		}
		if l.Event != nil {
			row.What = core.EventName(l.Event)
		}
		switch e := l.Event.(type) {
		case *core.Message:
			row.ID = string(e.ID)
		case *core.Held:
			row.ID = string(e.Lines[0].ID)
		case *core.Receipt:
			row.ID = string(e.ID)
		}
		if l.LastErr != nil {
			row.Error = l.LastErr.Error()
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (d *desk) status(ctx context.Context) ([]statusRow, error) {
	var rows []statusRow
	for _, l := range d.app.links {
		s := l.Status()
		row := statusRow{Part: "link " + l.Domain(), OK: s.State == xmpp.Online, Text: s.State.String()}
		if s.Err != nil {
			row.Text += ": " + explain(s.Err)
		}
		rows = append(rows, row)
	}
	for _, n := range d.app.gateway.Networks() {
		row := statusRow{Part: "sessions " + n.Driver.Name, OK: true, Text: "none"}
		var parts []string
		for link := core.Connecting; link <= core.Closed; link++ {
			if c := d.app.gateway.Connections(n.Driver.Name)[link]; c > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", c, link))
				row.OK = row.OK && link != core.Waiting && link != core.Refused
			}
		}
		if len(parts) > 0 {
			row.Text = strings.Join(parts, ", ")
		}
		rows = append(rows, row)
	}
	stats, err := d.app.queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range stats {
		text := fmt.Sprintf("%d waiting, %d undelivered", s.Pending, s.Dead)
		if !s.Oldest.IsZero() {
			text += ", the oldest for " + time.Since(s.Oldest).Round(time.Second).String()
		}
		rows = append(rows, statusRow{Part: "queue " + s.Network + " " + s.Direction.String(), OK: s.Dead == 0, Text: text})
	}
	return rows, nil
}
