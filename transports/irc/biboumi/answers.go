package biboumi

import (
	"fmt"
	"strconv"
	"strings"
)

// Answers are what a user chose for a server, as answers to the questions that the IRC transport asks at an enrolment,
// and what of it there is no question for, each in a sentence for the administrator.
func (a *Account) Answers() (answers map[string]string, left []string) {
	answers = map[string]string{"network": a.Server}
	if s := a.Chosen; s != nil {
		for name, value := range map[string]string{
			"nick": s.Nick, "username": s.Username, "realname": s.Realname, "password": s.SASLPassword, "server_password": s.Pass,
			"commands": strings.Join(s.Commands, "\n"), "fingerprint": s.Fingerprint,
		} {
			if value != "" {
				answers[name] = value
			}
		}
		if !s.NoTLS && s.TLSPorts != "" {
			answers["ports"] = s.TLSPorts
		}
		if !s.NoTLS && s.Address != "" && s.Address != a.Server {
			answers["address"] = s.Address
		}
		if s.Throttle != nil && *s.Throttle > 0 {
			answers["burst"] = strconv.Itoa(*s.Throttle)
		}
		left = append(left, s.left(a.Server)...)
	}
	for _, c := range a.Channels {
		left = append(left, c.left()...)
	}
	return answers, left
}

// Choices are what a user chose for a channel, for a server, or for everything, as answers to settings.
type Choices struct {
	Channel string // empty: for the server
	Answers map[string]string
}

// Choices are what the user chose for the server and its channels beside what concerns the connection.
func (a *Account) Choices() (all []Choices) {
	add := func(channel string, answers map[string]string) {
		if len(answers) > 0 {
			all = append(all, Choices{channel, answers})
		}
	}
	if s := a.Chosen; s != nil {
		add("", chosen(s.EncodingIn, s.History, nil))
	}
	for _, c := range a.Channels {
		add(c.Name, chosen(c.EncodingIn, c.History, c.Record))
	}
	return all
}

// Choices are what the user chose for everything.
func (g *Global) Choices() map[string]string {
	var record *bool
	if g.Unrecorded {
		record = new(bool)
	}
	answers := chosen("", g.History, record)
	if g.Persistent {
		answers["persistent"] = "true"
	}
	return answers
}

// mostHistory is how many lines a join can be shown here.
const mostHistory = 200

func chosen(encoding string, history int, record *bool) map[string]string {
	answers := map[string]string{}
	if encoding != "" {
		answers["encoding_in"] = encoding
	}
	if history > 0 {
		answers["history"] = strconv.Itoa(min(history, mostHistory))
	}
	if record != nil {
		answers["record"] = strconv.FormatBool(*record)
	}
	return answers
}

// left is what of a server's options the administrator decides here, or nobody.
func (s *Server) left(server string) (left []string) {
	say := func(on bool, format string, args ...any) {
		if on {
			left = append(left, fmt.Sprintf(format, args...))
		}
	}
	where := `[transport.irc.network."` + server + `"] says how it is reached`
	say(s.NoTLS && s.Address != "" && s.Address != server, "the address %s: %s", s.Address, where)
	say(s.NoTLS, "ports without TLS only (%s): %s; there irc:// is without", first(s.Ports, usualPorts), where)
	say(!s.NoTLS && s.Ports != "", "the ports without TLS %s: what is not irc:// in the configuration is reached with TLS only", s.Ports)
	say(s.AnyCertificate && !s.NoTLS && s.Fingerprint == "",
		"any certificate is good: it is verified here, or known by its fingerprint, which the user can set")
	say(s.EncodingOut != "", "the encoding to write %s, which biboumi did not heed either", s.EncodingOut)
	say(s.Throttle != nil && *s.Throttle <= 0, "a limit of %d lines: here at least one goes at once", deref(s.Throttle))
	say(s.History > mostHistory, "a history of %d lines at a join: here it is %d at most", s.History, mostHistory)
	return left
}

func deref(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func (c *Channel) left() (left []string) {
	if c.EncodingOut != "" {
		left = append(left, "the encoding to write in "+c.Name+", which biboumi did not heed either")
	}
	if c.History > mostHistory {
		left = append(left, fmt.Sprintf("a history of %d lines at a join of %s: here it is %d at most", c.History, c.Name, mostHistory))
	}
	return left
}

// Left is what of a user's choices for all servers has no place here.
func (g *Global) Left() (left []string) {
	if g.History > mostHistory {
		left = append(left, fmt.Sprintf("a history of %d lines at a join: here it is %d at most", g.History, mostHistory))
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
