package demo

import (
	"context"
	"fmt"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/world"
)

const (
	channel = "#lobby"
	room    = channel + "%irc.test@" + world.IRC
	daveJID = "dave%irc.test@" + world.IRC
)

func (p *play) irc() scene {
	return scene{"IRC", "Alice and Bob have XMPP clients; Dave has an IRC client, on irc.test", []step{
		{"Dave joins " + channel, p.daveJoins},
		{"Alice joins the channel as a room", func(ctx context.Context) (time.Duration, error) {
			return p.joins(ctx, "Alice", p.alice, "alice")
		}},
		{"Bob joins the channel as a room", func(ctx context.Context) (time.Duration, error) {
			return p.joins(ctx, "Bob", p.bob, "bob")
		}},
		{"Alice speaks; Dave and Bob read it", p.aliceSpeaks},
		{"Dave speaks; Alice and Bob read it", p.daveSpeaks},
		{"Alice writes to Dave in private", p.whisper},
		{"receipt: the IRC server took it", func(ctx context.Context) (time.Duration, error) {
			return p.receipt(ctx, "the IRC server took it", "ngIRCd -> Gangway -> her XMPP client")
		}},
		{"Dave answers in private", p.whisperBack},
	}}
}

func (p *play) daveJoins(ctx context.Context) (took time.Duration, err error) {
	at := time.Now()
	if p.dave, err = ircclient.Dial(ctx, p.world.IRC.Addr(), ircclient.Config{Nick: "dave"}); err != nil {
		return 0, err
	}
	if err := p.dave.Join(ctx, channel); err != nil {
		return 0, err
	}
	took = time.Since(at)
	p.out.note("[Dave joins "+channel+"]", "his IRC client -> ngIRCd", took)
	return took, nil
}

// joins has somebody enter the room; Dave must see them come.
func (p *play) joins(ctx context.Context, who string, c *client.Client, nick string) (time.Duration, error) {
	at := time.Now()
	self, err := c.Join(ctx, room, nick)
	if err != nil {
		return 0, err
	}
	took := self.At.Sub(at)
	_, err = p.dave.Wait(ctx, func(l ircclient.Line) bool {
		return l.Command == "JOIN" && l.Nick() == nick && l.Param(0) == channel
	})
	if err != nil {
		return took, fmt.Errorf("dave does not see %s come: %w", who, err)
	}
	if _, err := c.Wait(ctx, client.PresenceFrom(room+"/dave", "")); err != nil {
		return took, fmt.Errorf("%s does not see dave: %w", who, err)
	}
	p.out.note("["+who+" joins "+room+" and sees Dave there]", who+"'s XMPP client -> Gangway -> ngIRCd, as "+nick, took)
	return took, nil
}

func (p *play) aliceSpeaks(ctx context.Context) (time.Duration, error) {
	const words = "Hello from XMPP"
	if err := p.say(client.Message{To: room, Type: "groupchat", Body: words}); err != nil {
		return 0, err
	}
	line, err := p.dave.Wait(ctx, ircclient.Said("alice", channel, words))
	if err != nil {
		return 0, fmt.Errorf("dave does not read it: %w", err)
	}
	st, err := p.bob.Wait(ctx, client.MessageFrom(room+"/alice", words))
	if err != nil {
		return 0, fmt.Errorf("bob does not read it: %w", err)
	}
	took := max(line.At.Sub(p.sent.at), st.At.Sub(p.sent.at))
	p.out.say(said{"Alice in " + channel, words, "her XMPP client -> Gangway -> ngIRCd -> Dave's IRC client", line.At.Sub(p.sent.at)})
	p.out.note("[Bob reads it]", "ngIRCd -> Gangway -> Bob's XMPP client", st.At.Sub(p.sent.at))
	if _, err := p.alice.Wait(ctx, client.MessageFrom(room+"/alice", words)); err != nil {
		return took, fmt.Errorf("alice's own line does not come back to her: %w", err)
	}
	return took, nil
}

func (p *play) daveSpeaks(ctx context.Context) (time.Duration, error) {
	const words = "Hello from IRC, both of you"
	at := time.Now()
	if err := p.dave.Privmsg(channel, words); err != nil {
		return 0, err
	}
	var took time.Duration
	for _, c := range []*client.Client{p.alice, p.bob} {
		st, err := c.Wait(ctx, client.MessageFrom(room+"/dave", words))
		if err != nil {
			return 0, fmt.Errorf("dave's line does not come: %w", err)
		}
		took = max(took, st.At.Sub(at))
	}
	p.out.say(said{"Dave in " + channel, words, "his IRC client -> ngIRCd -> Gangway -> Alice's and Bob's XMPP clients", took})
	return took, nil
}

func (p *play) whisper(ctx context.Context) (time.Duration, error) {
	const words = "Between us: nice bridge"
	if err := p.say(client.Message{To: daveJID, Body: words}); err != nil {
		return 0, err
	}
	line, err := p.dave.Wait(ctx, ircclient.Said("alice", "dave", words))
	if err != nil {
		return 0, fmt.Errorf("dave does not read it: %w", err)
	}
	took := line.At.Sub(p.sent.at)
	p.out.say(said{"Alice to Dave", words, "her XMPP client -> Gangway, which spaces lines out -> ngIRCd -> Dave, in private", took})
	return took, nil
}

func (p *play) whisperBack(ctx context.Context) (time.Duration, error) {
	const words = "Thanks, I had not noticed one"
	at := time.Now()
	if err := p.dave.Privmsg("alice", words); err != nil {
		return 0, err
	}
	st, err := p.alice.Wait(ctx, client.MessageFrom(daveJID, words))
	if err != nil {
		return 0, fmt.Errorf("dave's answer does not come: %w", err)
	}
	took := st.At.Sub(at)
	p.out.say(said{"Dave to Alice", words, "his IRC client -> ngIRCd -> Gangway -> Alice's XMPP client, in private", took})
	return took, nil
}
