package email

import (
	"strings"
	"testing"

	"gangway/core"
)

// correspondence is a gateway through which a mail has gone out to Bob and one has come in from him.
func correspondence(t *testing.T) (g *gateway, sent core.RemoteID) {
	t.Helper()
	relay := startRelay(t, nil)
	g = start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	taken, err := g.session(t).Send(t.Context(), note("hi"))
	if err != nil {
		t.Fatal(err)
	}
	g.take(t, "From: bob@example.com\nMessage-ID: <m1@example.com>\n\nhello")
	return g, taken.Remote
}

// take delivers a mail for alice.
func (g *gateway) take(t *testing.T, raw string) {
	t.Helper()
	if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", strings.ReplaceAll(raw, "\n", "\r\n")); !strings.HasPrefix(got, "250") {
		t.Fatal(got)
	}
}

// last is what was delivered last.
func (g *gateway) last() core.Event {
	all := g.host.Events()
	return all[len(all)-1]
}

const reaction = "Content-Type: text/plain; charset=utf-8\nContent-Disposition: reaction\n\n👍\n"

func TestReactionToOurs(t *testing.T) {
	g, sent := correspondence(t)
	g.take(t, "From: Bob@Example.com\nMessage-ID: <r@example.com>\nIn-Reply-To: "+string(sent)+"\n"+reaction)
	r, ok := g.last().(*core.Reaction)
	if !ok || r.Remote != sent || r.Peer != "bob@example.com" || r.Account != alice.ID || strings.Join(r.Emoji, "") != "👍" {
		t.Errorf("%+v", g.last())
	}
}

// What concerns nothing that these two have written is shown as it is.
func TestReactionToNothing(t *testing.T) {
	g, sent := correspondence(t)
	for id, header := range map[string]string{
		"unknown": "From: bob@example.com\nIn-Reply-To: <never@seen>\n", "eve": "From: eve@example.com\nIn-Reply-To: " + string(sent) + "\n",
	} {
		g.take(t, "Message-ID: <"+id+"@x>\n"+header+reaction)
		if m, ok := g.last().(*core.Message); !ok || m.Text != "👍" {
			t.Errorf("%s: %+v", id, g.last())
		}
	}
}

func readNotice(from, about, disposition string) string {
	return "From: " + from + "\nMessage-ID: <n-" + disposition + from + core.Digest(about) + ">\nSubject: Read: hi\n" +
		"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nIt was read.\n" +
		"--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;bob@example.com\n" +
		"Original-Message-ID: " + about + "\nDisposition: manual-action/MDN-sent-manually; " + disposition + "\n--b--\n"
}

func TestReadNotice(t *testing.T) {
	g, sent := correspondence(t)
	g.take(t, readNotice("bob@example.com", string(sent), "displayed"))
	r, ok := g.last().(*core.Receipt)
	if !ok || r.State != core.Read || r.Remote != sent || r.Account != alice.ID {
		t.Fatalf("%+v", g.last())
	}
	for _, other := range []string{
		readNotice("bob@example.com", "<m1@example.com>", "displayed"),
		readNotice("eve@example.com", string(sent), "displayed"), readNotice("bob@example.com", "<never@seen>", "displayed"),
		readNotice("bob@example.com", string(sent), "deleted"),
	} {
		g.take(t, other)
		if m, ok := g.last().(*core.Message); !ok || !strings.HasSuffix(m.Text, "It was read.") || !m.Notice {
			t.Errorf("%+v", g.last())
		}
	}
}

func TestEdits(t *testing.T) {
	g, sent := correspondence(t)
	g.take(t, "From: bob@example.com\nMessage-ID: <e@x>\nChat-Edit: <m1@example.com>\nContent-Type: text/plain; charset=utf-8\n\n✏️hello!")
	if m, ok := g.last().(*core.Message); !ok || m.Text != "hello!" || m.Replaces.Remote != "<m1@example.com>" {
		t.Errorf("%+v", g.last())
	}
	for id, header := range map[string]string{
		"eve": "From: eve@example.com\nChat-Edit: <m1@example.com>\n", "ours": "From: bob@example.com\nChat-Edit: " + string(sent) + "\n",
	} {
		g.take(t, "Message-ID: <"+id+"@x>\n"+header+"\nI am rich")
		if m, ok := g.last().(*core.Message); id == "eve" && (!ok || m.Replaces.Known()) {
			t.Errorf("%+v", g.last())
		}
		if m := g.host.WaitMessage("I am rich"); m.Replaces.Known() {
			t.Errorf("%+v", m)
		}
	}
}

func TestRetraction(t *testing.T) {
	g, sent := correspondence(t)
	g.take(t, "From: bob@example.com\nMessage-ID: <x0@x>\nChat-Delete: "+string(sent)+"\n\nnot yours")
	g.host.WaitMessage("not yours")
	g.take(t, "From: eve@example.com\nMessage-ID: <x1@x>\nChat-Delete: <m1@example.com>\n\ngone?")
	g.host.WaitMessage("gone?")
	g.take(t, "From: bob@example.com\nMessage-ID: <x2@x>\nChat-Delete: <m1@example.com>\n\ngone")
	if r, ok := g.last().(*core.Retraction); !ok || r.Remote != "<m1@example.com>" || r.Peer != "bob@example.com" {
		t.Errorf("%+v", g.last())
	}
}

const listMail = "List-Id: \"Gardeners\" <garden.lists.example.com>\nList-Post: <mailto:garden@lists.example.com>\n"

// A list is one conversation, in which its mails say who wrote them. An answer to one of them goes where it asks for it.
func TestMailingList(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	g.take(t, "From: Bob <bob@example.com>\nMessage-ID: <l1@x>\nSubject: Roses\nReply-To: bob@example.com\n"+listMail+"\nRed?")
	g.take(t, "From: carol@example.com\nMessage-ID: <l2@x>\nSubject: Re: Roses\nIn-Reply-To: <l1@x>\nReply-To: garden@lists.example.com\n"+listMail+"\nWhite.")
	first, second := g.host.WaitMessage("*Roses*\n(answers to: bob@example.com)\nBob: Red?"), g.host.WaitMessage("carol@example.com: White.")
	if first.Peer != "garden@lists.example.com" || second.Peer != first.Peer || second.Thread != first.Thread || !first.Notice || first.Also != nil {
		t.Errorf("%+v\n%+v", first, second)
	}
	g.host.Wait("the list's name", func(e core.Event) bool {
		p, ok := e.(*core.Profile)
		return ok && p.Peer == first.Peer && p.Name == "Gardeners"
	})
	for _, tt := range []struct {
		answers core.RemoteID
		want    string
	}{{"<l1@x>", "bob@example.com"}, {"<l2@x>", "garden@lists.example.com"}, {"", "garden@lists.example.com"}} {
		m := note("I see")
		m.Peer, m.ReplyTo.Remote = first.Peer, tt.answers
		if _, err := g.session(t).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if sent := <-relay.mails; sent.to != tt.want {
			t.Errorf("to %s, want %s", sent.to, tt.want)
		}
	}
}

// Newsletters stay in the conversation with whom they are from.
func TestNewsletter(t *testing.T) {
	g := start(t, nil, nil)
	for i, header := range []string{"List-Id: <1234.shop.example>\n", "List-Id: x\nList-Post: NO\n", "List-Unsubscribe: <https://shop.example/u>\n", "List-Post: <https://x.example/post>\n"} {
		g.take(t, "From: news@shop.example\nMessage-ID: <"+string(rune('a'+i))+"@x>\n"+header+"\nBuy!")
		if m, ok := g.last().(*core.Message); !ok || m.Peer != "news@shop.example" || m.Text != "Buy!" || !m.Notice {
			t.Errorf("%q: %+v", header, g.last())
		}
	}
}

func TestSentBy(t *testing.T) {
	g := start(t, nil, nil)
	g.take(t, "From: boss@example.com\nSender: Secretary <sec@example.com>\nMessage-ID: <a@x>\n\nCome in.")
	g.host.WaitMessage("(sent by sec@example.com)\nCome in.")
	g.take(t, "From: boss@example.com\nSender: BOSS@example.com\nMessage-ID: <b@x>\n\nNow.")
	g.host.WaitMessage("Now.")
}
