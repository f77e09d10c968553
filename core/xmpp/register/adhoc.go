package register

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/form"
	"gangway/core/xmpp/stream"
)

// commandDoor is ad-hoc commands (XEP-0050).
type commandDoor struct{ *Desk }

var _ xmpp.Handler = commandDoor{}

// Actions of a command request. Without one it goes on, or completes, as the step
// needs: Profanity sends none.
const (
	execute  = "execute"
	next     = "next"
	complete = "complete"
	prev     = "prev"
	cancel   = "cancel"
)

// call is a command request, and what it comes to.
type call struct {
	st               *stream.Stanza
	w                xmpp.Sender
	user             core.UserID
	at               core.Target
	node, id, action string
	payload          *stream.Element // the form; nil: none
	submission       form.Submission
	dialog           *dialog

	status     string
	note, kind string // kind is the note's: "info" or "error"
	step       core.Step
}

// Serve implements xmpp.Handler.
func (c commandDoor) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	el := st.Only()
	q := &call{node: el.Attr("node"), id: el.Attr("sessionid"), action: el.Attr("action"), payload: form.Find(el), st: st, w: w}
	var err error
	if q.at, err = c.place(st); err != nil {
		return err
	}
	if q.user, err = c.asker(st); err != nil {
		return err
	}
	switch q.action {
	case "", execute, next, complete, prev, cancel:
	default:
		return commandError("modify", "bad-request", "malformed-action", "That action is not understood.")
	}
	cmd, ok := c.node(q.node, q.at)
	if !ok && !c.serves(q.at) {
		return xmpp.NewError("cancel", "service-unavailable", "Only the gateway itself can be asked that.")
	}
	if !ok {
		return xmpp.NewError("cancel", "item-not-found", "There is no such command here.")
	}
	if err := c.may(ctx, q.user, cmd); err != nil {
		e := core.AsError(err)
		if e.Kind != core.Denied {
			return err
		}
		return &xmpp.Error{Type: "auth", Condition: "forbidden", Text: e.Sentence(), Err: err}
	}
	if q.id == "" {
		return c.begin(ctx, q, cmd)
	}
	return c.resume(ctx, q)
}

// begin executes a command.
func (c commandDoor) begin(ctx context.Context, q *call, cmd Command) error {
	if q.action != "" && q.action != execute {
		return commandError("modify", "bad-request", "bad-action", "The command has not been begun.")
	}
	d, step, err := begin(ctx, q.user, cmd.in(q.at), nil)
	id, full := c.sessions.open(d)
	if full != nil {
		return full
	}
	q.id, q.dialog = id, d
	c.outcome(q, step, err)
	return c.respond(ctx, q)
}

// resume goes on with a command.
func (c commandDoor) resume(ctx context.Context, q *call) error {
	d, err := c.sessions.get(q.id, q.node, q.user)
	if err != nil {
		return err
	}
	q.dialog = d
	if q.payload != nil {
		if q.submission, err = form.Parse(q.payload); err != nil {
			return badPayload("The form could not be read: " + err.Error() + ".")
		}
	}
	switch {
	case q.action == cancel || q.submission.Canceled:
		c.sessions.end(q.id)
		q.status = "canceled"
		return c.respond(ctx, q)
	case q.action == prev && !d.back():
		return commandError("modify", "bad-request", "bad-action", "There is nothing before this.")
	case q.action == prev:
		q.status, q.step = "executing", d.step
		return c.respond(ctx, q)
	}
	return c.submit(ctx, q)
}

// submit takes the answers to the step at hand.
func (c commandDoor) submit(ctx context.Context, q *call) error {
	if q.payload == nil && asks(q.dialog.step) {
		return badPayload("The form is missing.")
	}
	values, wrong := filled(q.dialog.step, q.submission)
	if wrong != "" {
		q.status, q.note, q.kind = "executing", wrong, "error"
		q.step = withValues(q.dialog.step, values)
		return c.respond(ctx, q)
	}
	step, err := q.dialog.take(ctx, values)
	c.outcome(q, step, err)
	return c.respond(ctx, q)
}

// outcome notes what a step came to. What went wrong ends the command, and is
// said in a note.
func (c commandDoor) outcome(q *call, step core.Step, err error) {
	q.step = step
	switch {
	case err != nil:
		q.status, q.note, q.kind = "completed", core.AsError(err).Sentence(), "error"
	case step.Done:
		q.status, q.note, q.kind = "completed", orDefault(step.Text, "Done."), "info"
	default:
		q.status = "executing"
		return
	}
	c.sessions.end(q.id)
}

// respond answers, and then sends what the command left for afterwards.
func (c commandDoor) respond(ctx context.Context, q *call) error {
	err := xmpp.Result(q.w, q.st, func(enc *stream.Encoder) { q.write(enc) })
	if err != nil {
		return err
	}
	if len(q.step.Document) > maxInAnswer {
		teller := chatDoor{Desk: c.Desk, from: q.st.To}
		if err := teller.writeDocument(ctx, q.w, q.user, q.step.Document); err != nil {
			c.Logger.Warn("document not sent", "command", q.node, "err", err)
		}
	}
	return nil
}

// write appends the <command/>.
func (q *call) write(enc *stream.Encoder) {
	enc.Start("command", NSCommands, "node", q.node, "sessionid", q.id, "status", q.status)
	if q.status == "executing" {
		q.writeActions(enc)
	}
	if q.note != "" {
		enc.Leaf("note", "", q.note, "type", q.kind)
	}
	switch q.status {
	case "executing":
		formOf(q.step, "").Write(enc)
	case "completed":
		if x, ok := resultOf(q.step); ok {
			x.Write(enc)
		}
		if len(q.step.Document) > maxInAnswer {
			enc.Leaf("note", "", "The text is long: it was sent to you in chat messages.", "type", "info")
		}
	}
	enc.End()
}

// writeActions says how to go on. A step that does not know what follows is
// completed; should more be asked, then it is.
func (q *call) writeActions(enc *stream.Encoder) {
	on := complete
	if q.step.More {
		on = next
	}
	enc.Start("actions", "", "execute", on)
	if len(q.dialog.past) > 0 {
		enc.Empty(prev, "")
	}
	enc.Empty(on, "")
	enc.End()
}

func badPayload(text string) error {
	return commandError("modify", "bad-request", "bad-payload", text)
}

// listNode answers for the list of commands.
type listNode struct{ *Desk }

// Info implements disco.Answerer.
func (n listNode) Info(context.Context, disco.Query) (disco.Info, error) {
	return disco.Info{
		Identities: []disco.Identity{{Category: "automation", Type: "command-list", Name: n.title()}},
		Features:   []string{NSCommands, disco.NSInfo, disco.NSItems},
	}, nil
}

// Items implements disco.Answerer: what the asker may use.
func (n listNode) Items(ctx context.Context, q disco.Query) ([]disco.Item, error) {
	if q.User == "" {
		return nil, nil
	}
	var all []disco.Item
	jid := n.Domain.Name
	if q.To != (core.Target{}) {
		var err error
		if jid, err = n.Domain.JID(q.To.Realm, q.To.Address, q.To.Room); err != nil {
			return nil, err
		}
	}
	for _, cmd := range n.offered(ctx, q.User, q.To, n.list) {
		all = append(all, disco.Item{JID: jid, Node: cmd.Node, Name: cmd.Title})
	}
	return all, nil
}

// commandNode answers for one command.
type commandNode struct {
	*Desk
	cmd Command
}

// Info implements disco.Answerer. A command that the asker may not use is not
// there.
func (n commandNode) Info(ctx context.Context, q disco.Query) (disco.Info, error) {
	if q.User == "" || !n.cmd.has(q.To) || n.may(ctx, q.User, n.cmd) != nil {
		return disco.Info{}, core.E(core.NotFound, "register: node", "There is no such command here.")
	}
	return disco.Info{
		Identities: []disco.Identity{{Category: "automation", Type: "command-node", Name: n.cmd.Title}},
		Features:   []string{NSCommands, form.NS, disco.NSInfo},
	}, nil
}

// Items implements disco.Answerer: there are none.
func (n commandNode) Items(ctx context.Context, q disco.Query) ([]disco.Item, error) {
	_, err := n.Info(ctx, q)
	return nil, err
}
