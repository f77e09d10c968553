package demo

import (
	"context"
	"fmt"
	"time"

	"gangway/integration/client"
	"gangway/integration/twilio"
	"gangway/integration/world"
)

// The phones of the demo: one that works, and one that the carrier cannot reach.
const (
	phone = "+15550199999"
	off   = "+15550198888"
)

func (p *play) sms() scene {
	number := world.Numbers()[0]
	p.world.Twilio.Script(twilio.Match{To: off}, twilio.FailWith(twilio.Undelivered, 30003))
	return scene{"SMS", "Alice has the same XMPP client; somebody has a phone, " + phone, []step{
		{"Alice registers by chatting with the gateway", func(ctx context.Context) (time.Duration, error) {
			return p.register(ctx, world.SMS, number)
		}},
		{"Alice texts the phone", p.text},
		{"receipt: the carrier has delivered it", func(ctx context.Context) (time.Duration, error) {
			return p.receipt(ctx, "the carrier has delivered it", "Twilio's signed callback -> Gangway -> her XMPP client")
		}},
		{"the phone answers", p.textBack},
		{"Alice texts a phone that is off: an error", func(ctx context.Context) (time.Duration, error) {
			return p.refused(ctx, off+"@"+world.SMS, "Are you there?", "remote-server-timeout",
				"Twilio's signed callback (30003) -> Gangway -> her XMPP client")
		}},
	}}
}

func (p *play) text(ctx context.Context) (time.Duration, error) {
	const words = "Running late, start without me"
	if err := p.say(client.Message{To: phone + "@" + world.SMS, Body: words}); err != nil {
		return 0, err
	}
	m, err := p.world.Twilio.WaitMessage(ctx, func(m *twilio.Message) bool { return m.Body == words })
	if err != nil {
		return 0, fmt.Errorf("twilio is not asked to send it: %w", err)
	}
	took := time.Since(p.sent.at)
	p.out.say(said{"Alice to " + m.To, words, "her XMPP client -> Gangway -> Twilio's API, from " + m.From, took})
	if m.From != world.Numbers()[0] || m.To != phone {
		return took, fmt.Errorf("it goes from %s to %s", m.From, m.To)
	}
	return took, nil
}

func (p *play) textBack(ctx context.Context) (time.Duration, error) {
	const words = "No hurry, we saved you a seat"
	at := time.Now()
	if _, err := p.world.Twilio.Inbound(ctx, phone, world.Numbers()[0], words); err != nil {
		return 0, err
	}
	st, err := p.alice.Wait(ctx, client.MessageFrom(phone+"@"+world.SMS, words))
	if err != nil {
		return 0, fmt.Errorf("the text message does not come: %w", err)
	}
	took := st.At.Sub(at)
	p.out.say(said{phone + " to Alice", st.Body(), "a phone -> Twilio's signed webhook -> Gangway -> Alice's XMPP client", took})
	return took, nil
}
