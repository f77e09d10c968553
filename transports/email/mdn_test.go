package email

import (
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/mime"
)

// Only who asks for it in a way that cannot hurt anybody is told that their mail was read, and only once.
func TestReadNoticeSent(t *testing.T) {
	const asks = "Disposition-Notification-To: Bob Roe <bob@example.com>\r\n"
	for name, tt := range map[string]struct {
		header, chosen string
		sent           bool
	}{
		"asked and wanted":        {asks, "true", true},
		"not asked":               {"", "true", false},
		"not wanted":              {asks, "false", false},
		"nothing chosen":          {asks, "", false},
		"another address":         {"Disposition-Notification-To: eve@example.com\r\n", "true", false},
		"two addresses":           {"Disposition-Notification-To: bob@example.com, eve@example.com\r\n", "true", false},
		"twice":                   {asks + asks, "true", false},
		"a list":                  {asks + "List-Id: <l.example.com>\r\n", "true", false},
		"a program":               {asks + "Auto-Submitted: auto-generated\r\n", "true", false},
		"with a precedence":       {asks + "Precedence: bulk\r\n", "true", false},
		"no address at all":       {"Disposition-Notification-To: x\r\n", "true", false},
		"with a line in its name": {"Disposition-Notification-To: =?utf-8?q?x=0D=0ABcc:?= <bob@example.com>\r\n", "true", true},
	} {
		c := startChat(t, nil)
		if tt.chosen != "" {
			c.host.Chosen.Own = map[string]string{noticesChoice: tt.chosen}
		}
		in := c.hear(tt.header+"Subject: Lunch\r\n", "shall we?")
		for range 2 {
			r := &core.Receipt{Ref: core.Ref{Account: alice.ID, Peer: "bob@example.com"}, IDs: core.IDs{Remote: in.Remote}, State: core.Read}
			if err := c.s.(*session).notifyRead(t.Context(), r); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !tt.sent {
			c.nothing(name)
			continue
		}
		got := <-c.relay.mails
		if got.from != "" || got.to != "bob@example.com" {
			t.Errorf("%s: envelope %q -> %q", name, got.from, got.to)
		}
		m := mime.Parse([]byte(got.mail))
		h := m.Root.Header
		if h.Get("Auto-Submitted") != "auto-replied" || h.Get("In-Reply-To") != string(in.Remote) || h.Has(noticeField) || h.Get("Subject") != "Read: Lunch" {
			t.Errorf("%s: %v", name, h)
		}
		if types := typesOf(m.Root); types != "multipart/report(text/plain message/disposition-notification)" || !strings.Contains(got.mail, "report-type=disposition-notification;") {
			t.Errorf("%s: %s", name, types)
		}
		if l := readLetter([]byte(got.mail), "", c.now()); l.readNotice() != string(in.Remote) {
			t.Errorf("%s: about %q", name, l.readNotice())
		}
		if text := m.Body(1000).Text; !strings.HasPrefix(text, "Alice Doe has read the message “Lunch”.") {
			t.Errorf("%s: text %q", name, text)
		}
		c.nothing(name + ", a second time")
	}
}

// Who read what is told to nobody by a mail of ours, or by one that is forgotten.
func TestReadNoticeOfNothing(t *testing.T) {
	c := startChat(t, map[string]string{noticesChoice: "true"})
	m, _ := c.say(func(*core.Message) {})
	for _, remote := range []core.RemoteID{m.Remote, "<forgotten@example.com>", ""} {
		if err := c.s.(*session).notifyRead(t.Context(), &core.Receipt{Ref: m.Ref, IDs: core.IDs{Remote: remote}}); err != nil {
			t.Errorf("%q: %v", remote, err)
		}
	}
	c.nothing("of nothing")
}

// One that may have been taken is not sent again.
func TestReadNoticeOnce(t *testing.T) {
	c := startChat(t, map[string]string{noticesChoice: "true"})
	in := c.hear("Disposition-Notification-To: bob@example.com\r\n", "shall we?")
	r := &core.Receipt{Ref: core.Ref{Account: alice.ID, Peer: "bob@example.com"}, IDs: core.IDs{Remote: in.Remote}}
	c.relay.set("data", refusal(451, smtp.EnhancedCode{4, 3, 0}, "later"))
	if err := c.s.(*session).notifyRead(t.Context(), r); err == nil {
		t.Error("no error")
	}
	c.relay.set("data", nil)
	if err := c.s.(*session).notifyRead(t.Context(), r); err != nil {
		t.Error(err)
	}
	c.nothing("again")
}
