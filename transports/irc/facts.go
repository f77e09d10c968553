package irc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/sasl"
	"gangway/transports/irc/wire"
)

// Deliver waits for the session to be connected and notes what the network can do.
func (p *probe) Deliver(_ context.Context, e core.Event) error {
	if st, ok := e.(*core.Status); !ok || st.Link != core.Connected {
		return nil
	}
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.session.link; l != nil && !p.arrived && !p.late {
		p.arrived = true
		p.describe(l)
	}
	p.stop()
	return nil
}

// describe says what a network can do, as far as it matters to users. The lock is held, and the session's.
func (p *probe) describe(l *link) {
	p.add(stepRegister, core.Finding{
		Text: fmt.Sprintf("let in as %s by %s after %v", l.nick, firstOf(l.server, "a server without a name"), time.Since(l.began).Round(time.Millisecond)),
	})
	p.add("sts", p.policy(l))
	p.add("login", logins(l.offers))
	p.add("echo-message", has(l.caps&capEcho, "users are shown what the network made of what they said", "users are shown what was said once a PING after it is answered"))
	p.add("labeled-response", has(l.caps&capLabels, "a refusal reaches whoever it is about", "what a refusal is about is told by its order"))
	p.add("history", core.Finding{Text: missedOn(l)})
	p.add("limits", limits(&l.support))
	p.add("offers", core.Finding{Text: firstOf(strings.Join(l.gives(), ", "), "nothing beyond what IRC always had") +
		" (capabilities: " + firstOf(l.caps.String(), "none") + ")"})
}

// has says what a capability means to users, or what its lack does.
func has(bit capability, yes, no string) core.Finding {
	if bit != 0 {
		return core.Finding{Text: "yes: " + yes}
	}
	return core.Finding{Text: "no: " + no}
}

// policy is what to say of a network's strict transport security.
func (p *probe) policy(l *link) core.Finding {
	value, ok := l.offers["sts"]
	switch {
	case p.upgraded:
		return core.Finding{Warn: true, Err: fmt.Errorf("%s wants TLS at port %s only, and is reached so although the configuration says irc://", p.net.name, l.secure),
			Text: "Write ircs://" + p.net.host + ":" + l.secure + " as its address."}
	case !ok:
		return core.Finding{Text: "the network says nothing about TLS"}
	}
	return core.Finding{Text: "the network wants TLS only (" + value + ")"}
}

// logins says with what users can log in.
func logins(offers map[string]string) core.Finding {
	value, ok := offers["sasl"]
	if !ok {
		return core.Finding{Text: "no login (SASL): users tell NickServ their password in a command to write when connected"}
	}
	names := strings.ReplaceAll(wire.Bare(value), ",", ", ")
	known := sasl.Login{Name: "x", Password: "x", Certificate: true}.Mechanisms(value)
	switch {
	case names == "":
		return core.Finding{Text: "users log in by name and password (SASL)"}
	case len(known) == 0:
		return core.Finding{Warn: true, Err: errors.New("users can log in with " + names + " only (SASL), which is not known here"),
			Text: "They tell NickServ their password in a command to write when connected."}
	}
	return core.Finding{Text: "users log in with " + strings.Join(known, ", ") + " (SASL; the network has " + names + ")"}
}

// missedOn says what the network knows of the time when nobody listened.
func missedOn(l *link) string {
	switch {
	case l.caps&capHistory != 0 && l.support.History > 0:
		return "what was missed is asked for, " + strconv.Itoa(l.support.History) + " messages at a time (CHATHISTORY)"
	case l.caps&capHistory != 0:
		return "what was missed is asked for (CHATHISTORY)"
	case l.caps&capPlayback != 0:
		return "what was missed is asked for, of the bouncer (playback)"
	}
	return "none: what is said while a user is not connected is lost to them"
}

// limits are the facts of RPL_ISUPPORT that users come to feel.
func limits(s *isupport.Support) core.Finding {
	text := fmt.Sprintf("nicks of %d letters (NICKLEN), lines of %d bytes (LINELEN), the same names by %s (CASEMAPPING)", s.NickLen, s.LineLen, s.Casemap)
	if s.UTF8Only {
		text += ", UTF-8 only (UTF8ONLY)"
	}
	return core.Finding{Text: text}
}

// gives are the things that a user has by a network's capabilities, in words.
func (l *link) gives() []string {
	var all []string
	add := func(bits capability, text string) {
		if l.caps&bits != 0 {
			all = append(all, text)
		}
	}
	if l.caps&capTags != 0 {
		for _, tag := range []struct{ name, text string }{{"draft/reply", "replies"}, {"draft/react", "reactions"}, {"typing", "who is typing"}} {
			if !l.support.Denies(tag.name) {
				all = append(all, tag.text)
			}
		}
	}
	add(capMultiline, "messages of several lines in one piece")
	add(capRedaction, "taking messages back")
	add(capReadMarker, "what was read in other apps")
	add(capTime, "when it was said")
	add(capAwayNotify, "who is away")
	add(capExtendedJoin|capAccountNotify|capAccountTag, "who is logged in")
	add(capMultiPrefix, "all ranks of a member")
	add(capUserhost|capChghost, "where members come from")
	add(capInviteNotify, "invitations of others")
	add(capBatch, "netsplits in one piece")
	add(capReplies, "refusals in words")
	if l.support.Monitor >= 0 {
		all = append(all, "when contacts come and go")
	}
	add(capBouncer, "the networks of the bouncer")
	return slices.Clip(all)
}

// Notes are none: a look leaves no trace.
func (p *probe) Notes() core.Notes { return noNotes{} }

type noNotes struct{}

func (noNotes) Put(context.Context, string, []byte, time.Duration) error { return nil }
func (noNotes) Delete(context.Context, string) error                     { return nil }
func (noNotes) Get(context.Context, string) ([]byte, error) {
	return nil, core.E(core.NotFound, "irc: check", "")
}
