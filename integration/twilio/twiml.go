package twilio

import (
	"encoding/xml"
	"mime"
	"strings"
)

// obey does what the answer to an inbound webhook says: TwiML <Message> elements are sent back, and so is a plain text,
// which is why a webhook must not answer "ok". What
// cannot be understood is ignored, as Twilio does after logging 12100 or 12300.
func (s *Server) obey(m Message, a Attempt) {
	replies := replies(a.Type, a.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.messages[m.SID]
	if r == nil || s.optOuts[s.scope(r.Service, r.To, r.From)] {
		return
	}
	for _, body := range replies {
		s.reply(r, body)
	}
}

// replies returns the texts that an answer to an inbound webhook asks to be sent.
func replies(contentType string, body []byte) []string {
	if len(body) == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return nil
	case media == "text/plain":
		return []string{string(body)}
	case media != "text/xml" && media != "application/xml":
		return nil
	}
	var twiml struct {
		XMLName xml.Name `xml:"Response"`
		Message []struct {
			Text string `xml:",chardata"`
			Body string `xml:"Body"`
		}
	}
	if xml.Unmarshal(body, &twiml) != nil {
		return nil
	}
	var texts []string
	for _, m := range twiml.Message {
		if text := strings.TrimSpace(m.Text + m.Body); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}
