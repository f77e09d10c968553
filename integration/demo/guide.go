package demo

import (
	"fmt"
	"net"
	"strings"

	"gangway/integration/world"
)

const visit = `
NOW YOU

XMPP    a client, without TLS, at %[1]s port %[2]s
        accounts  alice@example.test, bob@example.test, admin@example.test; password "secret"
        profanity, then type
          /connect alice@example.test server %[1]s port %[2]s tls disable
        gateways  email.example.test   Alice is alice@email.example.test
                  sms.example.test     Alice has %[3]s
                  irc.example.test     nothing to register
        Bob registers by writing "register" to a gateway; "help" tells what else there is.

Write to
        carol\40mail.test@email.example.test    a mailbox here; what you write goes after 15 s, or at once with
                                                "/send", so that several lines are one mail
        nobody\40mail.test@email.example.test   refused: see the error
        +15550123456@sms.example.test           any number: this demo's phones answer by themselves
        +15550198888@sms.example.test           a phone that is off
Join the room
        #lobby%%irc.test@irc.example.test

E-mail  read Carol's mailbox (IMAP at %[4]s, user carol, password "secret")
          curl -s -u carol:secret 'imap://%[4]s/INBOX;MAILINDEX=1'
        write as Carol (SMTP at %[5]s)
          swaks --server %[5]s --from carol@mail.test --to alice@email.example.test --body Hello
IRC     the server is %[6]s without TLS; any nick
          irssi -c %[7]s -p %[8]s

Look inside
          %[9]s status -c %[10]s
        configuration  %[10]s
        logs           %[11]s
        everything     %[12]s (removed at the end)

Ctrl-C stops everything.
`

// guide tells how to log in to what is up.
func guide(w *world.World, binary string) string {
	host, port := split(w.XMPP.Addr())
	ircHost, ircPort := split(w.IRC.Addr())
	var logs []string
	for _, s := range [][]string{w.Gangway.Logs(), w.XMPP.Logs(), w.Mail.Logs(), w.IRC.Logs()} {
		logs = append(logs, s...)
	}
	return fmt.Sprintf(visit, host, port, world.Numbers()[0], w.Mail.IMAPAddr(), w.Mail.SMTPAddr(), w.IRC.Addr(), ircHost, ircPort,
		binary, w.Config, strings.Join(logs, "\n"+strings.Repeat(" ", 23)), w.Dir)
}

// split is net.SplitHostPort for addresses that are known to be good.
func split(addr string) (host, port string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr, ""
	}
	return host, port
}
