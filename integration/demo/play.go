package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/world"
)

// patience is how long a step may take.
const patience = 30 * time.Second

// play is the conversation: its people, and what later steps refer to.
type play struct {
	world  *world.World
	binary string
	out    *transcript

	alice, bob *client.Client
	dave       *ircclient.Client

	sent               message // what Alice sent last
	toCarol, fromCarol string  // Message-IDs: of Alice's first mail, and of the answer
}

// message is one that is under way.
type message struct {
	id, thread string
	at         time.Time
}

// step is one thing that somebody does, with what must come of it. do returns what it took until the one it was meant
// for had it.
type step struct {
	name string
	do   func(context.Context) (time.Duration, error)
}

type scene struct {
	name, about string
	steps       []step
}

// scenes plays everything, and ends at the first step that fails.
func (p *play) scenes(ctx context.Context) error {
	if err := p.login(ctx); err != nil {
		return err
	}
	for _, s := range []scene{p.email(), p.sms(), p.irc()} {
		p.out.title(s.name, s.about)
		for _, st := range s.steps {
			if err := p.step(ctx, s.name, st); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *play) step(ctx context.Context, scene string, s step) error {
	late := fmt.Errorf("nothing within %s", patience)
	ctx, cancel := context.WithTimeoutCause(ctx, patience, late)
	defer cancel()
	took, err := s.do(ctx)
	if err != nil && errors.Is(context.Cause(ctx), late) && !errors.Is(err, late) {
		err = errors.Join(late, err)
	}
	p.out.done(row{scene: scene, step: s.name, took: took, err: err})
	if err != nil {
		return fmt.Errorf("%s: %q failed: %w", scene, s.name, err)
	}
	return nil
}

func (p *play) login(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if p.alice, err = p.world.Login(ctx, world.Alice, "phone"); err != nil {
		return fmt.Errorf("alice logs in: %w", err)
	}
	if p.bob, err = p.world.Login(ctx, world.Bob, "laptop"); err != nil {
		return fmt.Errorf("bob logs in: %w", err)
	}
	return nil
}

// close has the people leave.
func (p *play) close() error {
	var errs []error
	for _, c := range []*client.Client{p.alice, p.bob} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if p.dave != nil {
		errs = append(errs, p.dave.Close())
	}
	return errors.Join(errs...)
}

// register has Alice chat with a gateway. The last answer is what she asks for; the gateway's last words must say that
// she has it.
func (p *play) register(ctx context.Context, gateway string, answers ...string) (time.Duration, error) {
	begin, last := time.Now(), ""
	for _, words := range append([]string{"register"}, answers...) {
		at := time.Now()
		p.out.say(said{who: "Alice", text: words, route: "her XMPP client -> " + gateway})
		if _, err := p.alice.Say(gateway, words); err != nil {
			return 0, err
		}
		st, err := p.alice.Wait(ctx, client.MessageFrom(gateway, ""))
		if err != nil {
			return 0, fmt.Errorf("%s does not answer %q: %w", gateway, words, err)
		}
		last = st.Body()
		p.out.say(said{who: gateway, text: last, took: st.At.Sub(at)})
	}
	if want := answers[len(answers)-1]; !strings.Contains(last, want) {
		return 0, fmt.Errorf("the gateway's last words do not name %q: %s", want, last)
	}
	return time.Since(begin), nil
}

// receipt waits for the receipt (XEP-0184) of what Alice sent last.
func (p *play) receipt(ctx context.Context, meaning, route string) (time.Duration, error) {
	st, err := p.alice.Wait(ctx, client.ReceiptOf(p.sent.id))
	if err != nil {
		return 0, fmt.Errorf("no receipt: %w", err)
	}
	took := st.At.Sub(p.sent.at)
	p.out.note("[receipt for Alice: "+meaning+"]", route, took)
	return took, nil
}

// refused has Alice write where it cannot arrive: the error on her message must have that condition and a sentence.
func (p *play) refused(ctx context.Context, to, words, condition, route string) (time.Duration, error) {
	at := time.Now()
	p.out.say(said{who: "Alice to " + to, text: words})
	id, err := p.alice.Say(to, words)
	if err != nil {
		return 0, err
	}
	if strings.HasSuffix(to, "@"+world.Mail) {
		if err := p.sendNow(to); err != nil {
			return 0, err
		}
	}
	st, err := p.alice.Wait(ctx, client.Either(client.ErrorOf(id), client.ReceiptOf(id)))
	if err != nil {
		return 0, fmt.Errorf("no error came back: %w", err)
	}
	var why *client.StanzaError
	if !errors.As(st.Err(), &why) || !client.IsCondition(why, condition) || why.Text == "" {
		return 0, fmt.Errorf("instead of %s with a sentence: %s", condition, st.Raw)
	}
	took := st.At.Sub(at)
	p.out.note("[error for Alice, "+condition+": "+why.Text+"]", route, took)
	return took, nil
}

// say has Alice send, and remembers it.
func (p *play) say(m client.Message) error {
	p.sent = message{thread: m.Thread, at: time.Now()}
	m.Receipt = m.Type != "groupchat"
	var err error
	p.sent.id, err = p.alice.SendMessage(m)
	return err
}
