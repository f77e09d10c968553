package main

import (
	"context"

	"gangway/core"
	"gangway/mapping"
)

// account finds the account that a contact order is about, and the contact's address.
func (d *desk) account(ctx context.Context, o contactOrder) (core.Account, core.Target, error) {
	u, err := user(o.User)
	if err != nil {
		return core.Account{}, core.Target{}, err
	}
	n, err := d.network(o.Network)
	if err != nil {
		return core.Account{}, core.Target{}, err
	}
	target, err := n.Transport.Parse(o.Address)
	if err != nil {
		return core.Account{}, core.Target{}, err
	}
	a, err := d.app.mapping.AccountOf(ctx, u, o.Network, target.Realm)
	return a, target, err
}

func (d *desk) contacts(ctx context.Context, o contactOrder) ([]contactRow, error) {
	u, err := user(o.User)
	if err != nil {
		return nil, err
	}
	accounts, err := d.app.mapping.AccountsOf(ctx, u)
	if err != nil {
		return nil, err
	}
	var rows []contactRow
	for _, a := range accounts {
		if o.Network != "" && a.Network != o.Network {
			continue
		}
		for after := core.Address(""); ; {
			page, err := d.app.mapping.Contacts(ctx, a.ID, after, 0)
			if err != nil {
				return nil, err
			}
			for _, c := range page {
				rows = append(rows, d.contactRow(a, c))
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].Address
		}
	}
	return rows, nil
}

func (d *desk) contactRow(a core.Account, c mapping.Contact) contactRow {
	row := contactRow{Network: a.Network, Address: string(c.Address), Name: c.Name, Alias: c.Alias, Blocked: c.Blocked}
	n := d.app.gateway.Network(a.Network)
	for _, t := range d.app.cfg.Transports {
		if n == nil || t.Name != a.Network {
			continue
		}
		text := n.Transport.Format(core.Target{Realm: a.Realm, Address: c.Address})
		if local, err := d.app.mapping.Aliases(t.Name).LocalPart(text); err == nil {
			row.JID = local + "@" + t.Domain
		}
	}
	return row
}

func (d *desk) addContact(ctx context.Context, o contactOrder) (contactRow, error) {
	a, target, err := d.account(ctx, o)
	if err != nil {
		return contactRow{}, err
	}
	c := mapping.Contact{Account: a.ID, Address: target.Address, Name: o.Name, Alias: o.Alias}
	if err := d.app.mapping.PutContact(ctx, c); err != nil {
		return contactRow{}, err
	}
	return d.contactRow(a, c), nil
}

func (d *desk) removeContact(ctx context.Context, o contactOrder) error {
	a, target, err := d.account(ctx, o)
	if err != nil {
		return err
	}
	return d.app.mapping.RemoveContact(ctx, a.ID, target.Address)
}
