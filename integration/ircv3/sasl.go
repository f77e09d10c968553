package ircv3

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/xdg-go/scram"
)

const saslChunk = 400 // sasl, "AUTHENTICATE": longer messages come in pieces

// exchange is an authentication under way.
type exchange struct {
	mechanism string
	partial   string
	scram     *scram.ServerConversation
}

func (c *conn) onAuthenticate(param string) {
	switch {
	case !c.caps["sasl"]:
		c.numeric("904", "SASL authentication failed")
	case param == "*":
		c.sasl = exchange{}
		c.numeric("906", "SASL authentication aborted")
	case c.sasl.mechanism == "":
		c.begin(strings.ToUpper(param))
	case len(param) > saslChunk:
		c.sasl = exchange{}
		c.numeric("905", "SASL message too long")
	case len(param) == saslChunk:
		c.sasl.partial += param
	default:
		text := c.sasl.partial + strings.TrimSuffix(param, "+")
		c.sasl.partial = ""
		message, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			c.authenticated("", err)
			return
		}
		c.step(string(message))
	}
}

func (c *conn) begin(mechanism string) {
	switch mechanism {
	case "PLAIN", "EXTERNAL":
	case "SCRAM-SHA-256":
		server, err := scram.SHA256.NewServer(c.server.credentials)
		if err != nil {
			c.authenticated("", err)
			return
		}
		c.sasl.scram = server.NewConversation()
	default:
		c.numeric("908", "PLAIN,EXTERNAL,SCRAM-SHA-256", "are available SASL mechanisms")
		c.authenticated("", errors.New("no such mechanism"))
		return
	}
	c.sasl.mechanism = mechanism
	c.send(line{command: "AUTHENTICATE", params: []string{"+"}})
}

// credentials are what SCRAM needs of an account: derived here, since the passwords are only a test's.
func (s *Server) credentials(account string) (scram.StoredCredentials, error) {
	password, ok := s.conf.Accounts[account]
	if !ok {
		return scram.StoredCredentials{}, errors.New("no such account")
	}
	client, err := scram.SHA256.NewClient(account, password, "")
	if err != nil {
		return scram.StoredCredentials{}, err
	}
	return client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt of a test", Iters: 4096})
}

func (c *conn) step(message string) {
	switch c.sasl.mechanism {
	case "PLAIN":
		fields := strings.Split(message, "\x00")
		if len(fields) != 3 || fields[1] == "" || c.server.conf.Accounts[fields[1]] != fields[2] || fields[2] == "" {
			c.authenticated("", errors.New("wrong password"))
			return
		}
		c.authenticated(fields[1], nil)
	case "EXTERNAL":
		account := ""
		if secure, ok := c.socket.(*tls.Conn); ok && c.server.conf.Fingerprint != nil {
			account = c.server.conf.Fingerprint(secure.ConnectionState())
		}
		c.authenticated(account, nil)
	case "SCRAM-SHA-256":
		c.stepScram(message)
	}
}

func (c *conn) stepScram(message string) {
	conversation := c.sasl.scram
	if conversation.Done() && conversation.Valid() && message == "" {
		c.authenticated(conversation.Username(), nil)
		return
	}
	answer, err := conversation.Step(message)
	if err != nil {
		c.authenticated("", err)
		return
	}
	c.send(line{command: "AUTHENTICATE", params: []string{base64.StdEncoding.EncodeToString([]byte(answer))}})
}

// authenticated ends an exchange: with an account, or without.
func (c *conn) authenticated(account string, err error) {
	c.sasl = exchange{}
	if err != nil || account == "" {
		c.numeric("904", "SASL authentication failed")
		return
	}
	c.server.setAccount(c.user, account)
	c.numeric("900", c.user.nick+"!"+c.user.name+"@"+c.user.host, account, "You are now logged in as "+account)
	c.numeric("903", "SASL authentication successful")
}
