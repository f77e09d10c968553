package client

import "strings"

// Message is a message to send. Only To is needed.
type Message struct {
	To      string
	Type    string // chat when empty
	ID      string // made when empty
	Body    string
	Subject string
	Thread  string
	Receipt bool // ask for one (XEP-0184)
	// ReplyTo and ReplyID name the message that this one answers (XEP-0461): its author and its id.
	ReplyTo, ReplyID string
	Replaces         string // the id of the message this one corrects (XEP-0308)
	Extra            string // further elements, as raw XML
}

// SendMessage sends a message, with an origin-id (XEP-0359), and returns its id.
func (c *Client) SendMessage(m Message) (id string, err error) {
	if m.ID == "" {
		m.ID = c.NewID()
	}
	return m.ID, c.Send(m.xml())
}

// Say sends a chat message that asks for a receipt.
func (c *Client) Say(to, body string) (id string, err error) {
	return c.SendMessage(Message{To: to, Body: body, Receipt: true})
}

func (m Message) xml() string {
	if m.Type == "" {
		m.Type = "chat"
	}
	var b strings.Builder
	b.WriteString("<message" + attr("type", m.Type) + attr("id", m.ID) + attr("to", m.To) + ">")
	for _, field := range [...]struct{ name, text string }{{"subject", m.Subject}, {"body", m.Body}, {"thread", m.Thread}} {
		if field.text != "" {
			b.WriteString("<" + field.name + ">" + Escape(field.text) + "</" + field.name + ">")
		}
	}
	b.WriteString("<origin-id xmlns='" + NSOriginID + "'" + attr("id", m.ID) + "/>")
	if m.Receipt {
		b.WriteString("<request xmlns='" + NSReceipts + "'/>")
	}
	if m.ReplyID != "" {
		b.WriteString("<reply xmlns='" + NSReply + "'" + attr("to", m.ReplyTo) + attr("id", m.ReplyID) + "/>")
	}
	if m.Replaces != "" {
		b.WriteString("<replace xmlns='" + NSCorrect + "'" + attr("id", m.Replaces) + "/>")
	}
	b.WriteString(m.Extra + "</message>")
	return b.String()
}
