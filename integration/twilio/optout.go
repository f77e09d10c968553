package twilio

import (
	"slices"
	"strings"
)

// optOut is a peer who texted STOP to a sender: a number, or a Messaging Service with all its numbers.
type optOut struct{ scope, peer string }

// scope needs mu.
func (s *Server) scope(service, number, peer string) optOut {
	if service == "" {
		if svc := s.serviceOf(number); svc != nil {
			service = svc.SID
		}
	}
	if service != "" {
		return optOut{service, peer}
	}
	return optOut{number, peer}
}

// OptOutWord returns STOP, START or HELP if a text is one of their keywords and nothing else; otherwise it is empty.
func OptOutWord(body string) string {
	word := strings.ToUpper(strings.TrimSpace(body))
	switch {
	case slices.Contains([]string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}, word):
		return "STOP"
	case slices.Contains([]string{"START", "YES", "UNSTOP"}, word):
		return "START"
	case word == "HELP" || word == "INFO":
		return "HELP"
	default:
		return ""
	}
}

// OptedOut reports whether sends from a number of the account to peer are refused with 21610.
func (s *Server) OptedOut(number, peer string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.optOuts[s.scope("", number, peer)]
}

// heed applies an opt-out keyword and answers it; it returns the kind of keyword. It needs mu.
func (s *Server) heed(r *record, n *Number) string {
	word := OptOutWord(r.Body)
	if word == "" || n.NoOptOut {
		return ""
	}
	key := s.scope(r.Service, r.To, r.From)
	stopped := s.optOuts[key]
	switch {
	case word == "STOP" && !stopped:
		s.optOuts[key] = true
		s.reply(r, "You have successfully been unsubscribed. You will not receive any more messages from this number. "+
			"Reply START to resubscribe.")
	case word == "START" && stopped:
		delete(s.optOuts, key)
		s.reply(r, "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "+
			"Reply STOP to unsubscribe. Msg&Data Rates May Apply.")
	case word == "HELP":
		s.reply(r, "Reply STOP to unsubscribe. Msg&Data Rates May Apply.")
	}
	return word
}

// reply stores a message that answers r; it arrives at once. It needs mu.
func (s *Server) reply(r *record, body string) {
	now := s.now()
	segments, _ := Segments(body)
	s.add(&record{Message: Message{
		SID: newSID("SM"), From: r.To, To: r.From, Body: body, Service: r.Service, Segments: segments,
		Status: Delivered, Direction: DirectionReply, Created: now, Updated: now, Sent: now, Price: price(segments),
	}})
}
