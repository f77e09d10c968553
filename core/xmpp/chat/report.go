package chat

import (
	"context"
	"fmt"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

const (
	nsReport = "urn:xmpp:reporting:1" // XEP-0377
	nsJID    = "urn:xmpp:jid:0"

	maxReport = 1000 // bytes of what somebody says about somebody
)

// Reports returns the handler of messages in which a user, or the server of one,
// reports a correspondent (XEP-0377): the admins are told. Clients send a report
// to their own server, which sends it on to where the reported address belongs.
// Errors go to next.
func (c *Chat) Reports(d *edge.Domain, next xmpp.Handler) xmpp.Handler {
	h := handler{c, d}
	return xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		if st.Type == "error" || c.report == nil {
			return next.Serve(ctx, w, st)
		}
		return h.reported(ctx, st)
	})
}

// RegisterReports registers the handler of reports.
func (c *Chat) RegisterReports(r *xmpp.Router, d *edge.Domain, next xmpp.Handler) {
	r.MessageWith(nsReport, "report", c.Reports(d, next))
}

// reported tells the admins of a report, once in a while of the same.
func (h handler) reported(ctx context.Context, st *stream.Stanza) error {
	from, err := addr.Parse(st.From)
	if err != nil {
		return xmpp.NewError("modify", "jid-malformed", "Your own address could not be read.")
	}
	report := st.Child(nsReport, "report")
	about, err := h.reportedPerson(st, report)
	if err != nil {
		return err
	}
	key := from.Key() + " " + about
	if _, told := h.reports.get(key); told {
		return nil
	}
	h.reports.put(key, struct{}{})
	what := "abuse"
	if strings.HasSuffix(report.Attr("reason"), ":spam") {
		what = "spam"
	}
	text := fmt.Sprintf("%s reports %s for %s.", from.Bare(), about, what)
	if words := strings.TrimSpace(report.ChildText(nsReport, "text")); words != "" {
		text += " They say: " + bounded(strings.ToValidUTF8(words, "\ufffd"), maxReport)
	}
	h.report(ctx, h.domain.Network.Driver.Name, text)
	return nil
}

// reportedPerson is who is reported, as the network writes it: in the report, or
// else whom the message is to.
func (h handler) reportedPerson(st *stream.Stanza, report *stream.Element) (string, error) {
	text := strings.TrimSpace(report.ChildText(nsJID, "jid"))
	if text == "" {
		text = st.To
	}
	j, err := addr.Parse(text)
	if err != nil || !h.domain.Owns(j) || j.Local() == "" {
		return "", core.E(core.Invalid, "chat: report", "Nobody at this gateway is reported there.")
	}
	t, err := h.domain.Target(j.Local())
	if err != nil {
		return "", err
	}
	return h.domain.Network.Transport.Format(t), nil
}
