package irc

import (
	"slices"
	"strings"

	"gopkg.in/irc.v4"

	"gangway/transports/irc/wire"
)

const (
	maxOffered  = 200 // capabilities of one network
	maxCapValue = 500 // bytes
	maxCapLine  = 400 // bytes of names in one CAP REQ
)

// onCap carries on with the negotiation of capabilities (IRCv3 capability-negotiation, version 302).
func (s *session) onCap(m *irc.Message) {
	list := strings.Fields(m.Trailing())
	switch strings.ToUpper(m.Param(1)) {
	case "LS":
		s.offered(list, len(m.Params) > 3 && m.Param(2) == "*")
	case "ACK":
		s.acknowledged(list)
	case "NAK":
		s.rejected(list)
	case "NEW":
		s.link.offer(list)
		if s.link.auth == nil && slices.ContainsFunc(list, isSASL) {
			s.link.caps &^= capSASL // a network need not say that it had none for a while, but wants to be asked again
		}
		s.ask(list)
	case "DEL":
		for _, name := range list {
			delete(s.link.offers, name)
			s.link.caps &^= capNamed(name)
			if name == "sasl" {
				s.unanswered()
			}
		}
	}
}

func isSASL(entry string) bool {
	name, _, _ := strings.Cut(entry, "=")
	return name == "sasl"
}

// offer notes the capabilities whose values say something.
func (l *link) offer(list []string) {
	for _, entry := range list {
		name, value, _ := strings.Cut(entry, "=")
		switch name {
		case "sasl", "sts", batchMultiline:
			if l.offers == nil {
				l.offers = map[string]string{}
			}
			l.offers[strings.Clone(name)] = strings.Clone(value[:min(len(value), maxCapValue)])
		}
	}
}

// offered takes a line of CAP LS, and after the last one asks for what is used here.
func (s *session) offered(list []string, more bool) {
	l := s.link
	if l.reg == nil || l.reg.listed {
		return
	}
	l.offer(list)
	if len(l.reg.offered)+len(list) <= maxOffered {
		l.reg.offered = append(l.reg.offered, list...)
	}
	if more {
		return
	}
	l.reg.listed = true
	if s.secured(l) {
		return
	}
	if s.ask(l.reg.offered); l.reg.asked == 0 {
		s.capEnd()
	}
}

// ask asks for those offered capabilities that are used here.
func (s *session) ask(offered []string) {
	l := s.link
	var line []string
	size := 0
	send := func() {
		if len(line) > 0 {
			s.request302(line)
		}
		line, size = nil, 0
	}
	for _, entry := range offered {
		name, _, _ := strings.Cut(entry, "=")
		bit := capNamed(name)
		if bit == 0 || l.caps&bit != 0 || bit == capSASL && len(s.mechanisms()) == 0 {
			continue
		}
		if size += len(name) + 1; size > maxCapLine {
			send()
			size = len(name) + 1
		}
		line = append(line, name)
	}
	send()
}

func (s *session) request302(names []string) {
	s.urgent(wire.CapReq(names...))
	if s.link.reg != nil {
		s.link.reg.asked++
	}
}

// acknowledged takes note of what is on, or off, from now on.
func (s *session) acknowledged(list []string) {
	l := s.link
	for _, name := range list {
		if off, ok := strings.CutPrefix(name, "-"); ok {
			l.caps &^= capNamed(off)
			continue
		}
		l.caps |= capNamed(name)
		if name == "sasl" && l.reg == nil {
			s.authenticate() // it came back, or the network has it anew
		}
	}
	s.negotiated()
}

// rejected asks again for each one alone, since a network takes all of a line or nothing.
func (s *session) rejected(list []string) {
	if len(list) > 1 && len(list) < maxOffered {
		for _, name := range list {
			if capNamed(name) != 0 {
				s.request302([]string{name})
			}
		}
	}
	s.negotiated()
}

// negotiated goes on when all requests have been answered: to SASL or to the end.
func (s *session) negotiated() {
	l := s.link
	if l.reg == nil || l.reg.asked == 0 {
		return
	}
	if l.reg.asked--; l.reg.asked > 0 {
		return
	}
	if l.caps&capSASL != 0 && s.secrets.can() {
		s.authenticate()
		return
	}
	s.capEnd()
}
