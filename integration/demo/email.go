package demo

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"regexp"
	"strings"
	"time"

	"gangway/integration/client"
	"gangway/integration/world"
)

// carolJID is Carol, as Alice's roster knows her: the address, escaped (XEP-0106).
const carolJID = `carol\40mail.test@` + world.Mail

const (
	question = "Lunch at noon?"
	typo     = "I have until won."
	fixed    = "I have until one."
	yes      = "Yes! The usual place?"
	agreed   = "The usual place."
)

// handover is Postfix's line about a mail that Gangway took.
var handover = regexp.MustCompile(`to=<alice@email\.example\.test>.* status=sent`)

func (p *play) email() scene {
	return scene{"E-mail", "Alice has an XMPP client; Carol has a mailbox, carol@mail.test", []step{
		{"what the DNS must say of the mail domain", p.records},
		{"Alice registers by chatting with the gateway", func(ctx context.Context) (time.Duration, error) {
			return p.register(ctx, world.Mail, world.Alice)
		}},
		{"Alice writes two lines, corrects one: one mail", p.mailCarol},
		{"receipt: Carol's mail server has it", func(ctx context.Context) (time.Duration, error) {
			return p.receipt(ctx, "Carol's mail server has it", "Postfix's delivery report -> Gangway -> her XMPP client")
		}},
		{"Carol answers by mail, thread kept", p.carolAnswers},
		{"Alice answers, a reply in Carol's mailbox", p.mailCarolBack},
		{"Alice writes to nobody: an error that says so", func(ctx context.Context) (time.Duration, error) {
			return p.refused(ctx, `nobody\40mail.test@`+world.Mail, "Anybody there?", "item-not-found",
				"Postfix's refusal -> Gangway -> her XMPP client")
		}},
	}}
}

// sendNow has what Alice wrote go at once: mail is held for a while, because more lines may follow.
func (p *play) sendNow(to string) error {
	_, err := p.alice.SendMessage(client.Message{To: to, Body: "/send"})
	return err
}

// mailed waits for a mail in Carol's mailbox and prints Alice's words.
func (p *play) mailed(ctx context.Context, lines ...string) (*mail.Message, time.Duration, error) {
	words := strings.Join(lines, "\n")
	raw, err := p.world.Mail.WaitMessage(ctx, world.Carol, func(raw []byte) bool {
		return strings.Contains(strings.ReplaceAll(string(raw), "\r\n", "\n"), words)
	})
	if err != nil {
		return nil, 0, err
	}
	took := time.Since(p.sent.at)
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return nil, 0, fmt.Errorf("carol cannot read the mail: %w", err)
	}
	p.out.say(said{"Alice to Carol", words, "her XMPP client -> Gangway -> Postfix -> Carol's mailbox", took})
	p.out.write(margin + p.out.paint(dim, "the mail: From "+m.Header.Get("From")+", Subject "+m.Header.Get("Subject")) + "\n")
	return m, took, nil
}

// mailCarol has Alice write as people do in a chat. What she sees to within the window is in the mail.
func (p *play) mailCarol(ctx context.Context) (time.Duration, error) {
	const thread = "lunch-1"
	if err := p.say(client.Message{To: carolJID, Subject: "Lunch", Body: question, Thread: thread}); err != nil {
		return 0, err
	}
	id, err := p.alice.SendMessage(client.Message{To: carolJID, Body: typo, Thread: thread})
	if err != nil {
		return 0, err
	}
	if _, err := p.alice.SendMessage(client.Message{To: carolJID, Body: fixed, Thread: thread, Replaces: id}); err != nil {
		return 0, err
	}
	p.out.say(said{who: "Alice to Carol", text: question + "\n" + typo + "\n[corrected] " + fixed + "\n/send"})
	if err := p.sendNow(carolJID); err != nil {
		return 0, err
	}
	m, took, err := p.mailed(ctx, question, fixed)
	if err != nil {
		return 0, err
	}
	p.toCarol = m.Header.Get("Message-ID")
	if !strings.Contains(m.Header.Get("From"), "alice@"+world.Mail) || p.toCarol == "" || m.Header.Get("Subject") != "Lunch" {
		return took, fmt.Errorf("the mail's header is not as it should be: %v", m.Header)
	}
	if n := len(m.Header["Dkim-Signature"]); n != 2 {
		return took, fmt.Errorf("the mail has %d DKIM signatures, not one of each kind: %v", n, m.Header)
	}
	p.out.note("[what is written within 15 seconds is one mail; /send sends it at once; it is signed, DKIM with RSA and Ed25519]", "", 0)
	return took, nil
}

// carolAnswers has her mail program reply, as mail programs do: In-Reply-To and References name Alice's mail.
func (p *play) carolAnswers(ctx context.Context) (time.Duration, error) {
	at := time.Now()
	p.fromCarol = "<answer-1@mail.test>"
	reply := strings.Join([]string{
		"From: Carol <carol@mail.test>", "To: alice@" + world.Mail, "Subject: Re: Lunch", "Message-ID: " + p.fromCarol,
		"In-Reply-To: " + p.toCarol, "References: " + p.toCarol, "Date: " + at.Format(time.RFC1123Z), "", yes, "",
	}, "\r\n")
	if err := p.world.Mail.Send(ctx, "carol@mail.test", "alice@"+world.Mail, []byte(reply)); err != nil {
		return 0, err
	}
	st, err := p.alice.Wait(ctx, client.MessageFrom(carolJID, ""))
	if err != nil {
		return 0, fmt.Errorf("carol's answer does not come: %w", err)
	}
	took := st.At.Sub(at)
	p.out.say(said{"Carol to Alice", st.Shown(), "Carol's mail program -> Postfix -> Gangway -> Alice's XMPP client", took})
	if st.Shown() != yes {
		return took, errors.New("that is not what she wrote: " + st.Raw)
	}
	if got := st.Child(client.NSReply, "reply").Attr("id"); got != p.sent.id {
		return took, fmt.Errorf("it answers message %q, not %q: %s", got, p.sent.id, st.Raw)
	}
	if st.Thread() != p.sent.thread {
		return took, fmt.Errorf("its thread is %q, not %q", st.Thread(), p.sent.thread)
	}
	if err := p.handedOver(ctx); err != nil {
		return took, err
	}
	p.out.note("[Alice's client shows it as an answer to \""+question+"\", in the same thread]", "", 0)
	return took, nil
}

// handedOver waits until Postfix has Gangway's 250 for Carol's answer. Gangway writes down the place in the thread just
// before that, but after Alice has the message: an answer within that millisecond would not know it yet. People read first.
func (p *play) handedOver(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		for _, name := range p.world.Mail.Postfix.Logs() {
			log, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if handover.Match(log) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("postfix does not hear that gangway took the mail: %w", context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

func (p *play) mailCarolBack(ctx context.Context) (time.Duration, error) {
	if err := p.say(client.Message{To: carolJID, Body: agreed, Thread: p.sent.thread}); err != nil {
		return 0, err
	}
	if err := p.sendNow(carolJID); err != nil {
		return 0, err
	}
	m, took, err := p.mailed(ctx, agreed)
	if err != nil {
		return 0, err
	}
	if got := m.Header.Get("In-Reply-To"); got != p.fromCarol {
		return took, fmt.Errorf("the mail answers %q, not Carol's %q", got, p.fromCarol)
	}
	p.out.note("[Carol's mail program shows it below her own: In-Reply-To "+p.fromCarol+"]", "", 0)
	return took, nil
}
