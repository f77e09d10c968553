package biboumi

import (
	"fmt"
	"strings"
)

// Answers are what a user chose for a server, as answers to the questions that the IRC transport asks at an enrolment,
// and what of it there is no question for, each in a sentence for the administrator.
func (a *Account) Answers() (answers map[string]string, left []string) {
	answers = map[string]string{"network": a.Server}
	if s := a.Chosen; s != nil {
		for name, value := range map[string]string{
			"nick": s.Nick, "username": s.Username, "realname": s.Realname, "password": s.SASLPassword, "server_password": s.Pass,
			"encoding_in": s.EncodingIn, "commands": strings.Join(s.Commands, "\n"),
		} {
			if value != "" {
				answers[name] = value
			}
		}
		left = append(left, s.left(a.Server)...)
	}
	var rooms []string
	for _, c := range a.Channels {
		if c.EncodingIn != "" && !strings.ContainsAny(c.Name+c.EncodingIn, " \n") {
			rooms = append(rooms, c.Name+" "+c.EncodingIn)
		}
		left = append(left, c.left()...)
	}
	if len(rooms) > 0 {
		answers["encodings"] = strings.Join(rooms, "\n")
	}
	return answers, left
}

// left is what of a server's options the administrator decides here, or nobody.
func (s *Server) left(server string) (left []string) {
	say := func(on bool, format string, args ...any) {
		if on {
			left = append(left, fmt.Sprintf(format, args...))
		}
	}
	where := `[transport.irc.network."` + server + `"] says how it is reached`
	say(s.Address != "" && s.Address != server, "the address %s: %s", s.Address, where)
	say(s.TLSPorts != "", "the ports with TLS %s: %s", s.TLSPorts, where)
	say(s.NoTLS, "ports without TLS only (%s): %s; there irc:// is without", first(s.Ports, usualPorts), where)
	say(!s.NoTLS && s.Ports != "", "the ports without TLS %s: what is not irc:// in the configuration is reached with TLS only", s.Ports)
	say(s.AnyCertificate && !s.NoTLS, "any certificate is good: it is verified here; a \"ca\" in the network's table names another authority")
	say(s.Fingerprint != "", "the fingerprint of a certificate %s: a \"ca\" in the network's table names another authority", s.Fingerprint)
	say(s.EncodingOut != "", "the encoding to write %s, which biboumi did not heed either", s.EncodingOut)
	say(s.Throttle != nil, "a limit of lines: flood_burst is the network's")
	say(s.History > 0, "a history of %d lines at a join: a client asks for as much as it wants", s.History)
	return left
}

func (c *Channel) left() (left []string) {
	if c.EncodingOut != "" {
		left = append(left, "the encoding to write in "+c.Name+", which biboumi did not heed either")
	}
	if c.Record != nil {
		left = append(left, "whether "+c.Name+" is recorded: [archive] says so for all")
	}
	if c.History > 0 {
		left = append(left, fmt.Sprintf("a history of %d lines at a join of %s: a client asks for as much as it wants", c.History, c.Name))
	}
	return left
}

// Left is what of a user's choices for all servers has no place here.
func (g *Global) Left() (left []string) {
	if g.Unrecorded {
		left = append(left, "that nothing is recorded: [archive] says so for all")
	}
	if g.Persistent {
		left = append(left, "that every channel is persistent: it is chosen for each, in its settings")
	}
	if g.History > 0 {
		left = append(left, fmt.Sprintf("a history of %d lines at a join: a client asks for as much as it wants", g.History))
	}
	return left
}

// Persistent are the channels in which the user stays without a client, with the nick for them.
func (a *Account) Persistent() (rooms []string) {
	for _, c := range a.Channels {
		if c.Persistent {
			rooms = append(rooms, c.Name)
		}
	}
	return rooms
}

// Nick is what the user is called there: what they chose, or the name that their address begins with.
func (a *Account) Nick() string {
	if a.Chosen != nil && a.Chosen.Nick != "" {
		return a.Chosen.Nick
	}
	name, _, _ := strings.Cut(a.Owner, "@")
	return name
}

func first(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
