package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp/muc"
	"gangway/mapping"
)

// The orders with which the users of another gateway are taken over. Each may be given again: what is there stays.
type (
	importOrder struct {
		User, Network string
		Realm         string
		Answers       map[string]string // as at an enrolment
		DryRun        bool
	}
	importedAccount struct {
		ID    core.AccountID
		Realm string
		New   bool              // it was not there
		Kept  bool              // its user had chosen something already: that was left alone
		Set   []string          // answers that come
		Wrong map[string]string // answers that will not do, with the reason
	}
	targetOrder struct {
		Network string
		Texts   []string // as Transport.Parse takes them
	}
	importedTarget struct {
		Realm, Address string
		Room           bool
		Wrong          string // why it is none
	}
	choiceOrder struct {
		User, Network, Realm, Room string
		Answers                    map[string]string // to settings
		DryRun                     bool
	}
	importedChoices struct {
		Set   []string // that come
		Wrong map[string]string
	}
	keepOrder struct {
		User, Network, Realm, Nick string
		Rooms, Contacts            []string // addresses of the network
		DryRun                     bool
	}
	kept         struct{ Rooms, Contacts int } // that were not there
	historyOrder struct {
		User, Network, Realm, Room, Nick string
		Lines                            []historyLine
		DryRun                           bool
	}
	historyLine struct {
		ID       core.MessageID
		At       time.Time
		By, Text string
	}
)

// imports carries out the operations of an import; known is false if op is none.
func (d *desk) imports(ctx context.Context, op string, args json.RawMessage) (out any, known bool, err error) {
	switch op {
	case "import.account":
		out, err = with(args, func(o importOrder) (any, error) { return d.importAccount(ctx, o) })
	case "import.targets":
		out, err = with(args, func(o targetOrder) (any, error) { return d.importTargets(o) })
	case "import.choices":
		out, err = with(args, func(o choiceOrder) (any, error) { return d.importChoices(ctx, o) })
	case "import.keep":
		out, err = with(args, func(o keepOrder) (any, error) { return d.importKept(ctx, o) })
	case "import.history":
		out, err = with(args, func(o historyOrder) (any, error) { return d.importHistory(ctx, o) })
	default:
		return nil, false, nil
	}
	return out, true, err
}

// userOn is whom, and the network on which, an order is about.
func (d *desk) userOn(who, network string) (u core.UserID, n *core.Network, err error) {
	if u, err = user(who); err == nil {
		n, err = d.network(network)
	}
	return u, n, err
}

// importAccount gives a user an account with what they had chosen elsewhere, unless they have chosen something here.
func (d *desk) importAccount(ctx context.Context, o importOrder) (out importedAccount, err error) {
	u, n, err := d.userOn(o.User, o.Network)
	if err != nil {
		return out, err
	}
	enroller := n.TransportCaps.Enroller
	if enroller == nil {
		return out, core.E(core.Unsupported, "desk: import", "Nobody can enrol on "+o.Network+".")
	}
	enrol := func(current *core.Account, answers map[string]string) (core.Step, error) {
		answers = maps.Clone(answers)
		answers["network"], answers["unlogged"] = o.Realm, ""
		return enroller.Enroll(ctx, u, current, answers)
	}
	step, err := enrol(nil, map[string]string{})
	if err != nil {
		return out, err
	}
	if !step.Done {
		return out, core.E(core.Invalid, "desk: import", step.Text)
	}
	out.Realm = step.Link.Realm
	current, err := d.app.mapping.AccountOf(ctx, u, o.Network, out.Realm)
	switch out.New = err != nil && core.KindOf(err) == core.Unenrolled; {
	case err != nil && !out.New:
		return out, err
	case !out.New && (len(current.Options) > 0 || current.Secret != nil):
		out.ID, out.Kept = current.ID, true
		return out, nil
	case !out.New && len(o.Answers) <= 1: // there is nothing to add
		out.ID = current.ID
		return out, nil
	}
	good := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(o.Answers)) {
		alone, err := enrol(nil, map[string]string{name: o.Answers[name]})
		if err != nil {
			return out, err
		}
		if !alone.Done {
			if out.Wrong == nil {
				out.Wrong = map[string]string{}
			}
			out.Wrong[name] = alone.Text
			continue
		}
		good[name] = o.Answers[name]
		if name != "network" {
			out.Set = append(out.Set, name)
		}
	}
	if step, err = enrol(nil, good); err != nil || !step.Done || o.DryRun {
		return out, err
	}
	link := *step.Link
	link.ID, link.User, link.Network, link.Own, link.Name = current.ID, u, o.Network, current.Own, current.Name
	linked, err := d.linked(ctx, link)
	out.ID = linked.ID
	return out, err
}

// importChoices takes over what a user had chosen elsewhere, unless they have chosen here, and returns what will not do, with
// the reason.
func (d *desk) importChoices(ctx context.Context, o choiceOrder) (out importedChoices, err error) {
	u, n, err := d.userOn(o.User, o.Network)
	if err != nil {
		return out, err
	}
	at := core.Target{Realm: o.Realm}
	if o.Room != "" {
		at = core.Target{Realm: o.Realm, Address: core.Address(o.Room), Room: true}
		if at, err = n.Transport.Parse(n.Transport.Format(at)); err != nil {
			return out, err
		}
	}
	choose := func(p *core.Preferences) error {
		out = importedChoices{}
		for _, name := range slices.Sorted(maps.Keys(o.Answers)) {
			if n.Chosen(*p, name, at) != "" {
				continue
			}
			if err := n.Choose(p, at, map[string]string{name: o.Answers[name]}); err != nil {
				if out.Wrong == nil {
					out.Wrong = map[string]string{}
				}
				out.Wrong[name] = core.AsError(err).Sentence()
				continue
			}
			out.Set = append(out.Set, name)
		}
		return nil
	}
	if !o.DryRun {
		return out, d.app.mapping.ChangePreferences(ctx, u, o.Network, choose)
	}
	p, err := d.app.mapping.Preferences(ctx, u, o.Network)
	if err != nil {
		return out, err
	}
	p.Own = maps.Clone(p.Own)
	return out, choose(&p)
}

// importTargets says whom or what addresses mean here.
func (d *desk) importTargets(o targetOrder) ([]importedTarget, error) {
	n, err := d.network(o.Network)
	if err != nil {
		return nil, err
	}
	all := make([]importedTarget, len(o.Texts))
	for i, text := range o.Texts {
		t, err := n.Transport.Parse(text)
		if err != nil {
			all[i].Wrong = core.AsError(err).Sentence()
			continue
		}
		all[i] = importedTarget{Realm: t.Realm, Address: string(t.Address), Room: t.Room}
	}
	return all, nil
}

// linked links an account, through the gateway if it runs.
func (d *desk) linked(ctx context.Context, a core.Account) (core.Account, error) {
	if d.reload != nil {
		return d.app.gateway.Link(ctx, a)
	}
	return d.app.mapping.Link(ctx, a)
}

// importKept adds persistent rooms and contacts to an account.
func (d *desk) importKept(ctx context.Context, o keepOrder) (out kept, err error) {
	a, n, err := d.imported(ctx, o.User, o.Network, o.Realm, o.DryRun)
	if err != nil {
		return out, err
	}
	for _, room := range o.Rooms {
		target, err := n.Transport.Parse(n.Transport.Format(core.Target{Realm: o.Realm, Address: core.Address(room), Room: true}))
		if err != nil {
			return out, err
		}
		added, err := d.keepRoom(ctx, o, a.ID, target.Address)
		if err != nil {
			return out, err
		}
		if added {
			out.Rooms++
		}
	}
	for _, text := range o.Contacts {
		target, err := n.Transport.Parse(n.Transport.Format(core.Target{Realm: o.Realm, Address: core.Address(text)}))
		if err != nil {
			return out, err
		}
		c, err := d.app.mapping.Contact(ctx, a.ID, target.Address)
		if err == nil && c.Listed {
			continue
		}
		if out.Contacts++; o.DryRun {
			continue
		}
		if err := d.app.mapping.PutContact(ctx, mapping.Contact{Account: a.ID, Address: target.Address, Name: c.Name, Alias: c.Alias, Blocked: c.Blocked}); err != nil {
			return out, err
		}
	}
	return out, nil
}

// keepRoom notes that an account stays in a room: false if that was noted.
func (d *desk) keepRoom(ctx context.Context, o keepOrder, id core.AccountID, room core.Address) (added bool, err error) {
	notes := d.app.mapping.Notes(o.Network)
	if !o.DryRun {
		return muc.Keep(ctx, notes, id, room, o.Nick)
	}
	kept, err := muc.Kept(ctx, notes, id, room)
	return !kept, err
}

// imported finds an account that an import is about. In a dry run there may be none yet: it has no ID then.
func (d *desk) imported(ctx context.Context, jid, network, realm string, dry bool) (core.Account, *core.Network, error) {
	u, err := user(jid)
	if err != nil {
		return core.Account{}, nil, err
	}
	n, err := d.network(network)
	if err != nil {
		return core.Account{}, nil, err
	}
	a, err := d.app.mapping.AccountOf(ctx, u, network, realm)
	if dry && err != nil && core.KindOf(err) == core.Unenrolled {
		return core.Account{}, n, nil
	}
	return a, n, err
}

// importHistory adds what was said in a room, the oldest first, and returns how much of it was not there.
func (d *desk) importHistory(ctx context.Context, o historyOrder) (fresh int, err error) {
	a, n, err := d.imported(ctx, o.User, o.Network, o.Realm, o.DryRun)
	if err != nil {
		return 0, err
	}
	target, err := n.Transport.Parse(n.Transport.Format(core.Target{Realm: o.Realm, Address: core.Address(o.Room), Room: true}))
	if err != nil {
		return 0, err
	}
	if !target.Room {
		return 0, core.E(core.Invalid, "desk: import", fmt.Sprintf("%q is no room.", o.Room))
	}
	ref := core.Ref{Account: a.ID, Peer: target.Address}
	if o.DryRun {
		ids := make([]core.MessageID, len(o.Lines))
		for i, l := range o.Lines {
			ids[i] = l.ID
		}
		known, err := d.app.history.Known(ctx, ref, ids)
		return len(ids) - known, err
	}
	page := make([]core.Archived, 0, len(o.Lines))
	for _, l := range o.Lines {
		page = append(page, core.Archived{ID: l.ID, At: l.At, Event: &core.Message{
			Ref: ref, IDs: core.IDs{ID: l.ID}, Room: true, Author: core.Address(l.By), Mine: strings.EqualFold(l.By, o.Nick),
			At: l.At, Text: l.Text,
		}})
	}
	added, err := d.app.history.Fill(ctx, ref, page)
	return len(added), err
}
