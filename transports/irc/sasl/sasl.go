// Package sasl is the client's side of logging in to an IRC account: PLAIN (RFC 4616), EXTERNAL (RFC 4422 appendix A)
// and SCRAM-SHA-256 (RFC 7677), in the pieces that IRCv3 sasl writes them in. It knows no connection.
package sasl

import (
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

// The mechanisms, as networks call them.
const (
	External = "EXTERNAL"
	Scram    = "SCRAM-SHA-256"
	Plain    = "PLAIN"
)

const (
	chunk         = 400      // the most base64 in one AUTHENTICATE
	maxMessage    = 64 << 10 // of the network's base64, in all its pieces
	maxIterations = 1 << 20  // of PBKDF2: more is not security but an attack on us
)

var (
	errUnexpected = errors.New("sasl: the network speaks out of turn")
	errTooMuch    = errors.New("sasl: the network asks for too much")
)

// Login is what a user can log in with.
type Login struct {
	Name, Password string
	Certificate    bool // the connection shows one (CertFP)
}

// Mechanisms returns those that can be tried, the best first. offered is the value of the capability; empty: the
// network does not say.
func (l Login) Mechanisms(offered string) []string {
	var all []string
	if l.Certificate {
		all = append(all, External)
	}
	if l.Password != "" {
		if offered != "" {
			all = append(all, Scram)
		}
		all = append(all, Plain)
	}
	if offered == "" {
		return all
	}
	names := strings.Split(strings.ToUpper(offered), ",")
	return slices.DeleteFunc(all, func(m string) bool { return !slices.Contains(names, m) })
}

// Exchange is one try to log in.
type Exchange struct {
	mechanism string
	step      func(challenge string) (string, error)
	pending   strings.Builder // what has come of a challenge
}

// Start begins an exchange. The answer to its first challenge is the client's first message.
func (l Login) Start(mechanism string) (*Exchange, error) {
	e := &Exchange{mechanism: mechanism}
	said := false
	switch mechanism {
	case Plain, External:
		text := ""
		if mechanism == Plain {
			text = "\x00" + l.Name + "\x00" + l.Password
		}
		e.step = func(string) (string, error) {
			if said {
				return "", errUnexpected
			}
			said = true
			return text, nil
		}
	case Scram:
		client, err := scram.SHA256.NewClient(l.Name, l.Password, "")
		if err != nil {
			return nil, err
		}
		conversation := client.NewConversation()
		e.step = func(challenge string) (string, error) {
			if iterations(challenge) > maxIterations {
				return "", errTooMuch
			}
			return conversation.Step(challenge)
		}
	default:
		return nil, errors.New("sasl: unknown mechanism")
	}
	return e, nil
}

// Mechanism is the exchange's.
func (e *Exchange) Mechanism() string { return e.mechanism }

// Answer takes one AUTHENTICATE of the network and returns ours: none while the challenge is not complete.
func (e *Exchange) Answer(piece string) ([]string, error) {
	if piece != "+" {
		if e.pending.Len()+len(piece) > maxMessage {
			return nil, errTooMuch
		}
		e.pending.WriteString(piece)
		if len(piece) == chunk {
			return nil, nil
		}
	}
	challenge, err := base64.StdEncoding.DecodeString(e.pending.String())
	e.pending.Reset()
	if err != nil {
		return nil, err
	}
	response, err := e.step(string(challenge))
	if err != nil {
		return nil, err
	}
	return pieces(base64.StdEncoding.EncodeToString([]byte(response))), nil
}

// pieces cuts a message as AUTHENTICATE carries it: a last piece that is full is followed by an empty one.
func pieces(text string) []string {
	var all []string
	for len(text) >= chunk {
		all = append(all, text[:chunk])
		text = text[chunk:]
	}
	if text == "" {
		text = "+"
	}
	return append(all, text)
}

// iterations is the i= of SCRAM's server-first-message; 0 if there is none.
func iterations(message string) int {
	for attribute := range strings.SplitSeq(message, ",") {
		if n, ok := strings.CutPrefix(attribute, "i="); ok {
			count, err := strconv.Atoi(n)
			if err != nil {
				return maxIterations + 1
			}
			return count
		}
	}
	return 0
}
