package main

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os/signal"
	"syscall"

	"mellium.im/xmlstream"
	mellium "mellium.im/xmpp"
	"mellium.im/xmpp/component"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"

	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// gangwayEcho is the component as the gateway builds it: Link, Router, a handler
// that splits both addresses and writes through the Encoder.
func gangwayEcho(server string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	r := xmpp.NewRouter(xmpp.RouterConfig{PerSender: 4096})
	r.Message(xmpp.HandlerFunc(gangwayAnswer))
	link, err := xmpp.New(xmpp.Config{Server: server, Domain: linkDomain, Secret: linkSecret, Router: r})
	if err != nil {
		return err
	}
	return link.Run(ctx)
}

func gangwayAnswer(_ context.Context, w xmpp.Sender, st *stream.Stanza) error {
	from, err := addr.Parse(st.From)
	if err != nil {
		return err
	}
	to, err := addr.Parse(st.To)
	if err != nil {
		return err
	}
	if from.Key() == "" || to.Local() == "" || st.Child("urn:xmpp:receipts", "request") == nil {
		return errors.New("not what was sent")
	}
	body := st.Body()
	return w.Write(func(e *stream.Encoder) {
		e.Start("message", "", "type", st.Type, "id", st.ID, "from", to.String(), "to", from.String())
		e.Leaf("body", "", body)
		e.End()
	})
}

// melliumEcho is the same component on mellium's session, with a handler written
// by hand over its tokens: the fastest of the ways that library offers.
func melliumEcho(server string) error {
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", server)
	if err != nil {
		return err
	}
	s, err := component.NewSession(context.Background(), jid.MustParse(linkDomain), []byte(linkSecret), conn)
	if err != nil {
		return err
	}
	return s.Serve(mellium.HandlerFunc(melliumAnswer))
}

func melliumAnswer(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
	if start.Name.Local != "message" {
		return nil
	}
	msg, err := stanza.NewMessage(*start)
	if err != nil {
		return err
	}
	body, requested := "", false
	inBody := false
	for {
		tok, err := t.Token()
		switch tok := tok.(type) {
		case xml.StartElement:
			inBody = tok.Name.Local == "body"
			requested = requested || tok.Name.Local == "request" && tok.Name.Space == "urn:xmpp:receipts"
		case xml.CharData:
			if inBody {
				body += string(tok)
			}
		case xml.EndElement:
			inBody = false
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if !requested {
		return errors.New("not what was sent")
	}
	msg.From, msg.To = msg.To, msg.From
	msg.XMLName = xml.Name{}
	_, err = xmlstream.Copy(t, msg.Wrap(xmlstream.Wrap(
		xmlstream.Token(xml.CharData(body)), xml.StartElement{Name: xml.Name{Local: "body"}})))
	return err
}
