package email

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/transports/email/mime"
)

func TestAlsoRead(t *testing.T) {
	const mail = "From: Bob <bob@example.com>\r\nTo: alice+x@gw.example, \"Carol\" <carol@example.com>\r\n" +
		"Cc: dave@example.com, CAROL@example.com, bob@example.com, not an address\r\n%\r\nHello\r\n"
	for extra, want := range map[string][]core.Address{
		"":                             {"carol@example.com", "dave@example.com"},
		"List-Id: <l.example.com>\r\n": nil,
	} {
		l := readLetter([]byte(strings.Replace(mail, "%", extra, 1)), "bob@example.com", time.Unix(0, 0))
		if got := l.also("alice@gw.example"); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", extra, got, want)
		}
	}
}

// All copies of a mail to several are the same mail, of which no header says who gets it blind.
func TestSeveral(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	said := core.Message{
		Ref: core.Ref{Account: alice.ID}, Origin: core.Origin{ID: "c1"}, Text: "Hello", At: time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC),
		Copied: []core.Address{"carol@example.com"},
	}
	var mails []string
	remotes := map[core.RemoteID]bool{}
	for i, peer := range []core.Address{"bob@example.com", "carol@example.com", "dave@example.com"} {
		m := said
		m.ID, m.Peer, m.Hidden = core.NewID(), peer, i == 2
		for _, other := range []core.Address{"bob@example.com", "carol@example.com"} {
			if other != peer {
				m.Also = append(m.Also, other)
			}
		}
		taken, err := g.session(t).Send(t.Context(), &m)
		if err != nil {
			t.Fatal(err)
		}
		got := <-relay.mails
		if got.to != string(peer) {
			t.Errorf("to %s", got.to)
		}
		mails, remotes[taken.Remote] = append(mails, got.mail), true
	}
	if mails[0] != mails[1] || mails[1] != mails[2] || len(remotes) != 3 {
		t.Errorf("the copies differ, or their names do not: %v\n%s", remotes, strings.Join(mails, "\n"))
	}
	if head := mails[0]; !strings.Contains(head, "\r\nTo: <bob@example.com>\r\nCc: <carol@example.com>\r\n") || strings.Contains(head, "dave") {
		t.Errorf("the header is\n%s", head)
	}
	mid := mime.Parse([]byte(mails[0])).Root.Header.Get("Message-ID")
	for _, peer := range []core.Address{"carol@example.com", "bob@example.com"} {
		g.deliverMail(t, string(peer), "alice@gw.example", "From: "+string(peer)+"\r\nMessage-ID: <"+core.Digest(string(peer))+"@x>\r\nIn-Reply-To: "+mid+"\r\n\r\nanswer of "+string(peer))
		in := g.host.WaitMessage("answer of " + string(peer))
		if in.Peer != peer || !remotes[in.ReplyTo.Remote] || in.Thread != newThread(mid) {
			t.Errorf("the answer came as %+v", in)
		}
		delete(remotes, in.ReplyTo.Remote) // each answers the copy of their own
	}
}

func TestWhomAMailNames(t *testing.T) {
	for _, tt := range []struct {
		m      core.Message
		to, cc string
	}{
		{core.Message{Ref: core.Ref{Peer: "b@x.example"}}, "[b@x.example]", "[]"},
		{core.Message{Ref: core.Ref{Peer: "b@x.example"}, Also: []core.Address{"a@x.example", "B@x.example"}}, "[a@x.example b@x.example]", "[]"},
		{core.Message{Ref: core.Ref{Peer: "b@x.example"}, Also: []core.Address{"a@x.example"}, Hidden: true}, "[a@x.example]", "[]"},
		{core.Message{Ref: core.Ref{Peer: "b@x.example"}, Also: []core.Address{"a@x.example"}, Copied: []core.Address{"B@x.example", "a@x.example"}}, "[]", "[a@x.example b@x.example]"},
		{core.Message{Ref: core.Ref{Peer: "b@x.example"}, Also: []core.Address{"x\r\nBcc: y@z"}}, "[b@x.example]", "[]"},
	} {
		to, cc := new(row).recipients(&tt.m)
		if got := strings.ToLower(fmt.Sprint(to, cc)); got != tt.to+" "+tt.cc {
			t.Errorf("%+v: %s", tt.m, got)
		}
	}
}
