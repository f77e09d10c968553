package client

import "encoding/xml"

// reply sends what a client owes for a stanza: an answer to each iq request, a receipt where one was asked for.
func (c *Client) reply(s *Stanza) error {
	switch {
	case s.Kind() == "iq" && (s.Type() == "get" || s.Type() == "set"):
		if c.mute {
			return nil
		}
		return c.Send(answer(s))
	case s.Kind() == "message" && c.receipts && s.Type() != "error" && s.Child(NSReceipts, "request") != nil && s.ID() != "":
		return c.Send("<message type='" + s.Type() + "' id='" + c.NewID() + "'" + attr("to", s.From()) + ">" +
			"<received xmlns='" + NSReceipts + "'" + attr("id", s.ID()) + "/></message>")
	default:
		return nil
	}
}

// answer is the reply to an iq request: a ping and a roster push are fine, the rest is not offered.
func answer(s *Stanza) string {
	head := "<iq id='" + Escape(s.ID()) + "'" + attr("to", s.From())
	for _, c := range s.Children {
		if c.Name == (xml.Name{Space: NSPing, Local: "ping"}) || c.Name == (xml.Name{Space: NSRoster, Local: "query"}) {
			return head + " type='result'/>"
		}
	}
	return head + " type='error'><error type='cancel'><service-unavailable xmlns='" + NSStanzas + "'/></error></iq>"
}
