package mailbox

import (
	"fmt"
	"testing"

	"github.com/emersion/go-imap/v2"
)

func TestPickFolders(t *testing.T) {
	box := func(name string, attrs ...imap.MailboxAttr) *imap.ListData {
		return &imap.ListData{Mailbox: name, Delim: '/', Attrs: attrs}
	}
	dotted := func(name string) *imap.ListData { return &imap.ListData{Mailbox: name, Delim: '.'} }
	for _, test := range []struct {
		list       []*imap.ListData
		sent, junk string
	}{
		{[]*imap.ListData{box("INBOX"), box("Sent"), box("Junk")}, "Sent", "Junk"},
		{[]*imap.ListData{box("Sent"), box("Ausgang", imap.MailboxAttrSent), box("Müll", imap.MailboxAttrJunk), box("Spam")}, "Ausgang", "Müll"},
		{[]*imap.ListData{dotted("INBOX.Sent Items"), dotted("INBOX.Sent"), dotted("INBOX.spam")}, "INBOX.Sent", "INBOX.spam"},
		{[]*imap.ListData{box("Gesendete Objekte"), box("Unerwünscht")}, "Gesendete Objekte", "Unerwünscht"},
		{[]*imap.ListData{box("Éléments envoyés"), box("Courrier indésirable")}, "Éléments envoyés", "Courrier indésirable"},
		{[]*imap.ListData{box("[Gmail]", imap.MailboxAttrNoSelect), box("[Gmail]/Gesendet", imap.MailboxAttrSent), box("[Gmail]/Spam", imap.MailboxAttrJunk)}, "[Gmail]/Gesendet", "[Gmail]/Spam"},
		{[]*imap.ListData{box("已发送"), box("垃圾邮件")}, "已发送", "垃圾邮件"},
		{[]*imap.ListData{box("Sent", imap.MailboxAttrNoSelect), box("Archive/Sent"), box("Sentences")}, "", ""},
	} {
		p := newPicker()
		for _, f := range test.list {
			p.see(f)
		}
		if got := p.names(); got[Sent] != test.sent || got[Junk] != test.junk {
			t.Errorf("%v: sent %q, junk %q", fmt.Sprint(test.list[0].Mailbox), got[Sent], got[Junk])
		}
	}
}
