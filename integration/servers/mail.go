package servers

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// DefaultMailDomain is the mail system's own domain when its configuration names none.
const DefaultMailDomain = "mail.test"

// MailConfig says what a mail system shall be like.
type MailConfig struct {
	Dir    string // its own; made when absent
	Domain string // DefaultMailDomain when empty
	Users  []User // whose mailboxes are at Domain
	// Gateway is a domain whose mail goes by LMTP to GatewayLMTP (host:port), if set: the gateway's.
	Gateway     string
	GatewayLMTP string
	// Refuse says with which SMTP reply a recipient is refused at once; it comes on top of DefaultRefusals.
	Refuse map[string]string
	// CA issues a certificate for localhost and mx.Domain. With it there are two ports more, where users log in and hand
	// in mail (RFC 6409), and Dovecot offers TLS; without it there are none, and it does not.
	CA *CA
	// Policy is the address of a server that has a say in who may send to whom, such as Postgrey; Milters are those of
	// filters that see every mail, in this order.
	Policy  string
	Milters []string
	// Extra stands at the end of main.cf.
	Extra string
}

// DefaultRefusals are the local parts at the mail system's domain that its SMTP server refuses at RCPT, and how. Other
// unknown recipients are accepted there and refused by Dovecot, so that their sender gets a bounce.
func DefaultRefusals() map[string]string {
	return map[string]string{
		"reject": "550 5.1.1 User unknown",
		"full":   "552 5.2.2 Mailbox full",
		"later":  "451 4.3.0 Try again later",
	}
}

// Mail is a real mail system: a Postfix that takes mail for two domains on a loopback port, and a Dovecot that keeps
// the mailboxes of one of them. Everything else is refused with "554 5.7.1 Relay access denied".
type Mail struct {
	Postfix *Postfix
	Dovecot *Dovecot
	conf    MailConfig
}

var _ Server = (*Mail)(nil)

// NewMail writes the configurations; it starts nothing.
func NewMail(conf MailConfig) (*Mail, error) {
	if conf.Domain == "" {
		conf.Domain = DefaultMailDomain
	}
	if (conf.Gateway == "") != (conf.GatewayLMTP == "") {
		return nil, errors.New("mail: Gateway and GatewayLMTP belong together")
	}
	dir, err := filepath.Abs(conf.Dir)
	if err != nil {
		return nil, err
	}
	conf.Dir = dir
	m := &Mail{conf: conf}
	if m.Dovecot, err = newDovecot(filepath.Join(dir, "d"), conf); err != nil {
		return nil, fmt.Errorf("dovecot: %w", err)
	}
	if m.Postfix, err = newPostfix(filepath.Join(dir, "p"), conf, m.Dovecot); err != nil {
		return nil, fmt.Errorf("postfix: %w", err)
	}
	return m, nil
}

// Name is "mail".
func (*Mail) Name() string { return "mail" }

// Start starts Dovecot, then Postfix.
func (m *Mail) Start(ctx context.Context) error {
	if err := m.Dovecot.Start(ctx); err != nil {
		return err
	}
	if err := m.Postfix.Start(ctx); err != nil {
		return errors.Join(err, m.Dovecot.Stop())
	}
	return nil
}

// Stop stops both.
func (m *Mail) Stop() error { return errors.Join(m.Postfix.Stop(), m.Dovecot.Stop()) }

// Kill kills both.
func (m *Mail) Kill() error { return errors.Join(m.Postfix.Kill(), m.Dovecot.Kill()) }

// Done is Postfix's: Dovecot has its own.
func (m *Mail) Done() <-chan struct{} { return m.Postfix.Done() }

// Logs names the files of both.
func (m *Mail) Logs() []string { return append(m.Postfix.Logs(), m.Dovecot.Logs()...) }

// Domain is the mail system's own domain.
func (m *Mail) Domain() string { return m.conf.Domain }

// SMTPAddr is where mail is handed in: the gateway's relay.
func (m *Mail) SMTPAddr() string { return m.Postfix.SMTPAddr() }

// SubmissionAddr is where users log in, after STARTTLS, and hand in mail; SubmissionsAddr with TLS from the start.
func (m *Mail) SubmissionAddr() string { return loopback(m.Postfix.submission) }

// SubmissionsAddr is where users log in and hand in mail, with TLS from the start.
func (m *Mail) SubmissionsAddr() string { return loopback(m.Postfix.submissions) }

// IMAPSAddr is where mailboxes are read with TLS from the start, if there is a CA.
func (m *Mail) IMAPSAddr() string { return m.Dovecot.IMAPSAddr() }

// IMAPAddr is where mailboxes are read.
func (m *Mail) IMAPAddr() string { return m.Dovecot.IMAPAddr() }

// Address is a user's mail address.
func (m *Mail) Address(user string) string { return user + "@" + m.conf.Domain }
