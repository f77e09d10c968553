package roster

import (
	"strings"
	"testing"
	"testing/synctest"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/mapping"
)

// Behaviour 29: whatever a network calls somebody, and says of them, is shown as
// XML and a client can bear it, and ends no stream.
func TestHostilePresence29(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pictured(t, "bob@example.com")
		s.srv.Send(`<presence from='alice@example.org/x' to='email.gw'/>`)
		s.srv.Expect(`<presence type='!' from='` + bob + `/gateway'/>`)
		for i, hostile := range []string{
			"\x00\x02\x1f.", "\xed\xa0\x80 \xff", "\ufffe\uffff", "]]><![CDATA[", "</presence></stream:stream>", "&#2; &amp;",
			strings.Repeat("&", 1<<20), strings.Repeat("\U0001F469\u200D", 100_000),
		} {
			ref := core.Ref{Account: "a1", Peer: "bob@example.com"}
			show := []core.Show{core.Away, core.Busy}[i%2]
			for _, e := range []core.Event{
				&core.Presence{Ref: ref, Show: show, Text: hostile},
				&core.Profile{Ref: ref, Name: hostile, Note: hostile, Avatar: core.Picture{Type: "image/" + hostile, Data: []byte(hostile)}},
			} {
				if err := s.edge.Show(t.Context(), edgetest.Account(), e); err != nil {
					t.Errorf("%.20q: %T: %v", hostile, e, err)
				}
			}
			st := s.srv.Expect(`<presence from='` + bob + `/gateway'><show>*</show></presence>`)
			if n := len(st.ChildText("", "status")); n > 3*maxStatus {
				t.Errorf("%.20q: a status of %d bytes", hostile, n)
			}
			_ = s.book.PutContact(t.Context(), mapping.Contact{Account: "a1", Address: "bob@example.com", Alias: hostile})
			s.roster.Changed(edgetest.Alice, "mail")
			s.rosterGet(`<item jid='email.gw' name='E-mail' subscription='both'/>` +
				`<item jid='` + bob + `' subscription='both'/>`)
			s.srv.Unset("id")
			set := s.srv.Expect(`<iq type='set' id='$id'><query xmlns='jabber:iq:roster'><item jid='` + bob + `'/></query></iq>`)
			if n := len(set.Only().Only().Attr("name")); n == 0 || n > 3*maxName {
				t.Errorf("%.20q: a name of %d bytes", hostile, n)
			}
			s.srv.Send(`<iq type='result' id='$id' from='alice@example.org' to='email.gw'/>`)
			s.silent(t)
		}
	})
}
