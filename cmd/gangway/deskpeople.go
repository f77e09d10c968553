package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gangway/core"
	"gangway/mapping"
)

// The orders about people.
type (
	personOrder struct {
		User, To string
		Why      string
		Messages int
	}
	inviteOrder struct {
		ID, Network, By, Note string
		Uses                  int
		For                   time.Duration // until it expires; 0: never
	}
	announceOrder struct{ Network, Text string }
)

// invited is a new invitation with its token, which is shown once.
type invited struct {
	mapping.Invite
	Token string `json:"token"`
}

// people carries out the operations on people; known is false if op is none.
func (d *desk) people(ctx context.Context, op string, args json.RawMessage) (out any, known bool, err error) {
	fn := map[string]func(context.Context, personOrder, core.UserID) (any, error){
		"user.approve": d.approve, "user.reject": d.reject, "user.suspend": d.suspend, "user.resume": d.resume,
		"user.limit": d.limit, "user.move": d.move, "user.erase": d.erase,
	}[op]
	if fn != nil {
		out, err = with(args, func(o personOrder) (any, error) {
			u, err := user(o.User)
			if err != nil {
				return nil, err
			}
			return fn(ctx, o, u)
		})
		return out, true, err
	}
	switch op {
	case "user.ident":
		out, err = with(args, func(o personOrder) (any, error) { return d.identified(ctx, o.User) })
	case "invite.create":
		out, err = with(args, func(o inviteOrder) (any, error) { return d.invite(ctx, o) })
	case "invite.list":
		out, err = d.app.mapping.Invites(ctx)
	case "invite.revoke":
		out, err = with(args, func(o inviteOrder) (any, error) { return nil, d.app.mapping.RevokeInvite(ctx, o.ID) })
	case "announce":
		out, err = with(args, func(o announceOrder) (any, error) { return d.announce(ctx, o) })
	default:
		return nil, false, nil
	}
	return out, true, err
}

func (d *desk) approve(ctx context.Context, _ personOrder, u core.UserID) (any, error) {
	return d.app.gateway.Approve(ctx, u)
}

func (d *desk) reject(ctx context.Context, _ personOrder, u core.UserID) (any, error) {
	return nil, d.app.gateway.Reject(ctx, u)
}

func (d *desk) suspend(ctx context.Context, o personOrder, u core.UserID) (any, error) {
	return d.app.gateway.Suspend(ctx, u, o.Why)
}

func (d *desk) resume(ctx context.Context, _ personOrder, u core.UserID) (any, error) {
	return d.app.gateway.Resume(ctx, u)
}

func (d *desk) limit(ctx context.Context, o personOrder, u core.UserID) (any, error) {
	return d.app.gateway.Allow(ctx, u, o.Messages)
}

func (d *desk) move(ctx context.Context, o personOrder, from core.UserID) (any, error) {
	to, err := user(o.To)
	if err != nil {
		return nil, err
	}
	return nil, d.app.gateway.Move(ctx, from, to)
}

func (d *desk) erase(ctx context.Context, _ personOrder, u core.UserID) (any, error) {
	return nil, d.app.gateway.Erase(ctx, u)
}

// identified are the users whom a network knows by a word or an address.
func (d *desk) identified(ctx context.Context, text string) ([]userRow, error) {
	accounts, err := d.app.gateway.Identified(ctx, text)
	if err != nil {
		return nil, err
	}
	rows := make([]userRow, len(accounts))
	for i, a := range accounts {
		rows[i] = userRow{User: string(a.User), Network: a.Network, Realm: a.Realm, Since: a.Created}
	}
	return rows, nil
}

func (d *desk) invite(ctx context.Context, o inviteOrder) (invited, error) {
	if o.Network != "" {
		if _, err := d.network(o.Network); err != nil {
			return invited{}, err
		}
	}
	if !d.app.access.Load().Access.Invites {
		return invited{}, core.E(core.Invalid, "desk: invite",
			"Invitations are switched off: set invites = true under [access], and reload.")
	}
	in := mapping.Invite{Network: o.Network, By: o.By, Note: o.Note, Uses: o.Uses}
	if o.For > 0 {
		in.Expires = time.Now().Add(o.For)
	}
	token, made, err := d.app.mapping.NewInvite(ctx, in)
	return invited{made, token}, err
}

func (d *desk) announce(ctx context.Context, o announceOrder) (int, error) {
	if _, err := d.network(o.Network); err != nil {
		return 0, err
	}
	return d.app.gateway.Announce(ctx, o.Network, o.Text)
}

// standings are the people of a filter by name, and those of them without an account as rows.
func (d *desk) standings(ctx context.Context, o userOrder) (map[core.UserID]core.Person, error) {
	all := map[core.UserID]core.Person{}
	f := core.PeopleFilter{}
	if o.Standing != "" {
		if err := f.Standing.UnmarshalText([]byte(o.Standing)); err != nil || f.Standing == core.Stranger {
			return nil, core.E(core.Invalid, "desk: users",
				fmt.Sprintf("%q is no standing. There are: pending, registered, suspended.", o.Standing))
		}
	}
	for {
		page, err := d.app.gateway.People(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			all[p.User] = p
			f.After = p.User
		}
		if len(page) == 0 {
			return all, nil
		}
	}
}
