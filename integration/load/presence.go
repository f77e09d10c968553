package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/muc"
	"gangway/core/xmpp/roster"
	"gangway/core/xmpp/stream"
)

// presenceOptions say how large the world is.
type presenceOptions struct {
	users, contacts, members int
	idle                     time.Duration
}

// presenceLoad counts the stanzas that the gateway sends about presence, and how many of them told nothing new: the same
// from the same to the same, with nothing between.
func presenceLoad(args []string, out io.Writer) error {
	var o presenceOptions
	fs := flag.NewFlagSet("presence", flag.ContinueOnError)
	fs.IntVar(&o.users, "users", 500, "registered users, each with one device online")
	fs.IntVar(&o.contacts, "contacts", 20, "contacts of each")
	fs.IntVar(&o.members, "members", 1000, "members that a netsplit takes out of a room and brings back")
	fs.DurationVar(&o.idle, "idle", 5*time.Second, "how long the idle gateway is watched")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if o.users < 1 || o.contacts < 0 || o.members < 1 || o.idle <= 0 {
		return errors.New("the numbers must be positive")
	}
	fmt.Fprintf(out, "presence: %d users with %d contacts each; a room of %d\n\n", o.users, o.contacts, o.members)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "what\tstanzas\tper user\tredundant\tCPU us/stanza\t")
	redundant := 0
	for _, measure := range []func(presenceOptions, *presenceTable) error{presenceLife, presenceSplit} {
		t := &presenceTable{out: w}
		if err := measure(o, t); err != nil {
			return err
		}
		redundant += t.redundant
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nredundant: %d (target 0)\n", redundant)
	return nil
}

// presenceTable prints what was sent in each step.
type presenceTable struct {
	out       io.Writer
	redundant int
}

func (t *presenceTable) row(what string, users int, c tally, cpu time.Duration) {
	per := "-"
	if c.sent > 0 && cpu > 0 {
		per = fmt.Sprintf("%.2f", float64(cpu.Microseconds())/float64(c.sent))
	}
	t.redundant += c.redundant
	fmt.Fprintf(t.out, "%s\t%d\t%.2f\t%d\t%s\t\n", what, c.sent, float64(c.sent)/float64(users), c.redundant, per)
}

// presenceLife is a gateway's life: start, users found online, rest, trouble, stop.
func presenceLife(o presenceOptions, t *presenceTable) error {
	h := newPresenceHost(o)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	lists := roster.New(roster.Config{Gateway: h, Accounts: h, Contacts: h, Notes: func(string) core.Notes { return h }})
	handler := lists.On(h.domain, disco.New(disco.Config{Domain: h.domain, Gateway: h}))
	running.Go(func() { _ = lists.Run(ctx) })
	show, err := edge.New(edge.Config{Domains: []*edge.Domain{h.domain}, Chat: lists, Roster: lists})
	if err != nil {
		return err
	}
	step := func(what string, fn func() error) error {
		before := processCPU()
		if err := fn(); err != nil {
			return err
		}
		c := h.rest()
		t.row(what, o.users, c, processCPU()-before)
		return nil
	}
	status := func(st core.Status) error {
		for _, a := range h.accounts {
			st.Account = a.ID
			if err := show.Show(ctx, a, &st); err != nil {
				return err
			}
		}
		return nil
	}
	begun := errors.Join(
		step("start, nobody online", func() error { lists.State(h.domain, xmpp.Status{State: xmpp.Online}); return nil }),
		step("found online", func() error {
			for _, a := range h.accounts {
				st, err := stream.Parse(`<presence from='` + string(a.User) + `/phone' to='load.gw'/>`)
				if err != nil {
					return err
				}
				if err := handler.Serve(ctx, h, st); err != nil {
					return err
				}
			}
			return nil
		}),
		step("the same again", func() error { return status(core.Status{Link: core.Connected}) }),
	)
	h.idle(o, t)
	return errors.Join(begun,
		step("every connection down and up", func() error {
			return errors.Join(status(core.Status{Link: core.Waiting, Err: core.E(core.Unavailable, "", "The network is away.")}),
				status(core.Status{Link: core.Connecting}), status(core.Status{Link: core.Connected}))
		}),
		step("stop", func() error { return lists.Withdraw(ctx, h.domain) }),
	)
}

// idle watches a gateway that has nothing to do.
func (h *presenceHost) idle(o presenceOptions, t *presenceTable) {
	time.Sleep(o.idle)
	c := h.take()
	c.sent = int(float64(c.sent) * float64(time.Hour) / float64(o.idle))
	t.row(fmt.Sprintf("an idle hour (from %s)", o.idle), o.users, c, 0)
}

// presenceSplit is a room that a netsplit halves and heals, as one device in it sees it.
func presenceSplit(o presenceOptions, t *presenceTable) error {
	o.users, o.contacts = 1, 0
	h := newPresenceHost(o)
	ctx := context.Background()
	rooms := muc.New(muc.Config{Gateway: h, Secret: []byte("load")})
	h.domain.Network.Caps.Rooms = &roomer{}
	handler := rooms.On(h.domain).Presence()
	const room = "#load@load.gw"
	join, err := stream.Parse(`<presence from='user0@example.org/phone' to='` + room + `/me'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
	if err != nil {
		return err
	}
	ref := core.Ref{Account: h.accounts[0].ID, Peer: "#load"}
	if err := handler.ServeTarget(ctx, h, join, core.Target{Address: "#load", Room: true}); err != nil {
		return err
	}
	members := make([]core.Member, o.members)
	for i := range members {
		nick := fmt.Sprintf("member%d", i)
		members[i] = core.Member{Nick: nick, Address: core.Address(nick)}
	}
	step := func(what string, events []core.Event) error {
		before := processCPU()
		for _, e := range events {
			var failed error
			err := h.Write(func(enc *stream.Encoder) { failed = rooms.Render(ctx, enc, h.domain, h.accounts[0], e) })
			if err := errors.Join(err, failed); err != nil {
				return err
			}
		}
		t.row(what, 1, h.take(), processCPU()-before)
		return nil
	}
	all := func(change core.Change, why core.Departure) (events []core.Event) {
		for _, m := range members {
			events = append(events, &core.MemberChanged{Ref: ref, Change: change, Member: m, Why: why, Reason: "*.net *.split"})
		}
		return events
	}
	joined := &core.RoomJoined{
		Ref: ref, Origin: core.Origin{From: "user0@example.org/phone"}, Self: core.Member{Nick: "me"}, Members: members,
	}
	return errors.Join(
		step(fmt.Sprintf("join a room of %d", o.members), []core.Event{joined}),
		step("netsplit", all(core.Went, core.Quit)),
		step("and back", all(core.Came, core.Left)),
	)
}
