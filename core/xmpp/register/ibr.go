package register

import (
	"context"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/form"
	"gangway/core/xmpp/stream"
)

// formDoor is in-band registration (XEP-0077): the command "register" in the
// fields that old clients know and in a data form, and the end of a registration.
//
// A form is all there is: what asks for more, such as a code, goes on in the chat
// with the gateway.
type formDoor struct{ *Desk }

var _ xmpp.Handler = formDoor{}

// Serve implements xmpp.Handler.
func (f formDoor) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	user, err := f.request(st)
	if err != nil {
		return err
	}
	query := st.Only()
	switch {
	case st.Type == "get":
		return f.show(ctx, w, st, user)
	case query.Child("", "remove") != nil:
		return f.remove(ctx, w, st, user)
	}
	return f.submit(ctx, w, st, user)
}

// refusal is an error in the words of XEP-0077. Whoever may not register is told
// so in the same words, whether or not they have.
func refusal(err error) error {
	if e := core.AsError(err); e.Kind == core.Denied {
		return &xmpp.Error{Type: "cancel", Condition: "not-allowed", Text: e.Sentence(), Err: err}
	}
	return err
}

func notAcceptable(text string) error { return xmpp.NewError("modify", "not-acceptable", text) }

// begin is the registration's first step.
func (f formDoor) begin(ctx context.Context, user core.UserID) (*dialog, core.Step, error) {
	cmd, _ := f.node(NSRegister, core.Target{})
	return begin(ctx, user, cmd, nil)
}

// show answers with the form, filled in as far as is known.
func (f formDoor) show(ctx context.Context, w xmpp.Sender, st *stream.Stanza, user core.UserID) error {
	_, step, err := f.begin(ctx, user)
	if err != nil {
		return refusal(err)
	}
	own, err := f.own(ctx, user)
	if err != nil {
		return err
	}
	return xmpp.Result(w, st, func(enc *stream.Encoder) {
		enc.Start("query", NSRegister)
		if len(own) > 0 {
			enc.Empty("registered", "")
		}
		enc.Leaf("instructions", "", step.Text)
		writeLegacy(enc, step)
		if asks(step) {
			formOf(step, NSRegister).Write(enc)
		}
		enc.End()
	})
}

// submit takes a filled form.
func (f formDoor) submit(ctx context.Context, w xmpp.Sender, st *stream.Stanza, user core.UserID) error {
	d, first, err := f.begin(ctx, user)
	if err != nil {
		return refusal(err)
	}
	if first.Done {
		return f.registered(w, st, d, first)
	}
	values, wrong, err := submitted(first, st.Only())
	switch {
	case err != nil:
		return err
	case values == nil:
		return xmpp.Result(w, st, nil) // the form was cancelled: nothing is changed
	case wrong != "":
		return notAcceptable(wrong)
	}
	step, err := d.take(ctx, values)
	switch {
	case err != nil:
		return refusal(err)
	case step.Done:
		return f.registered(w, st, d, step)
	case again(step, first):
		return notAcceptable(step.Text)
	}
	return f.goOnInChat(w, d, step)
}

// submitted reads a query, which has a form or the fields of old. values are nil
// for a form that was cancelled.
func submitted(step core.Step, query *stream.Element) (values map[string]string, wrong string, err error) {
	x := form.Find(query)
	if x == nil {
		values, wrong = legacyFilled(step, query)
		return values, wrong, nil
	}
	s, err := form.Parse(x)
	switch {
	case err != nil:
		return nil, "", xmpp.NewError("modify", "bad-request", "The form could not be read: "+err.Error()+".")
	case s.Canceled:
		return nil, "", nil
	case s.Type() != "" && s.Type() != NSRegister:
		return nil, "", notAcceptable("That is the form for something else.")
	}
	values, wrong = filled(step, s)
	return values, wrong, nil
}

// registered answers that all is done, and says in chat what there is to say,
// which the answer has no place for.
func (f formDoor) registered(w xmpp.Sender, st *stream.Stanza, d *dialog, step core.Step) error {
	if err := xmpp.Result(w, st, nil); err != nil {
		return err
	}
	if step.Text != "" {
		err := w.Write(func(enc *stream.Encoder) {
			f.say(enc, d.user, step.Text, func() {
				if next := f.afterwards(d.command, step); next != nil {
					writeCommands(enc, f.Domain.Name, next)
				}
			})
		})
		if err != nil {
			f.Logger.Warn("welcome not sent", "err", err)
		}
	}
	return nil
}

// goOnInChat hands a registration over that asks for more than its form did.
func (f formDoor) goOnInChat(w xmpp.Sender, d *dialog, step core.Step) error {
	r, t := talkAbout(d, step, nil)
	if err := f.visitors.talk(d.user, t); err != nil {
		return err
	}
	if err := w.Write(func(enc *stream.Encoder) { f.say(enc, d.user, r.text, nil) }); err != nil {
		return err
	}
	return notAcceptable(strings.TrimSpace(step.Text + " This goes on in the chat with " + f.Domain.Name + ": please answer there."))
}

// remove ends the registration. Whoever has the contact list takes back what was put there.
func (f formDoor) remove(ctx context.Context, w xmpp.Sender, st *stream.Stanza, user core.UserID) error {
	if st.Only().Only() == nil {
		return xmpp.NewError("modify", "bad-request", "A request to remove a registration has nothing else in it.")
	}
	cmd, _ := f.node("unregister", core.Target{})
	if err := f.may(ctx, user, cmd); err != nil {
		return refusal(err)
	}
	if err := f.Gateway.Unenroll(ctx, user, f.network()); err != nil {
		return err
	}
	return xmpp.Result(w, st, nil)
}
