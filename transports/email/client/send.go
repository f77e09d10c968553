package client

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-smtp"
)

// Envelope is what a server is told about a mail.
type Envelope struct {
	ID      string // for its reports (ENVID)
	From    string // empty: a report, which is never reported about
	To      string
	UTF8    bool // the address needs SMTPUTF8
	Success bool // a report of success is wanted
}

const (
	mailsAtOnce = 100              // over one connection
	renewTime   = 10 * time.Second // for a server to show that it is there
)

// slowest is how many bytes of content a server must take in a second, on the whole.
const slowest = 512

// Send hands over one mail of CRLF lines. nil: the server has it. After an error that is a *smtp.SMTPError, of another
// code than 421, the connection may be used on after Reset. What the server said when it took the mail is returned.
func (c *Conn) Send(ctx context.Context, e Envelope, mail []byte) (said string, err error) {
	// Each step has its time; a server that uses up all of them has this much.
	limit := 3*c.times.Command + c.times.Begin + c.times.Dot + time.Duration(len(mail)/slowest)*time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := c.EndWith(ctx)
	defer func() { c.ended = !stop() }()
	if err := c.announce(e, len(mail)); err != nil {
		return "", err
	}
	c.smtp.CommandTimeout = c.times.Begin
	w, err := c.smtp.Data()
	c.smtp.CommandTimeout = c.times.Command
	if err != nil {
		return "", At(Data, err)
	}
	if _, err := w.Write(mail); err != nil {
		return "", At(Data, err)
	}
	answer, err := w.CloseWithResponse() // the answer to the final dot, which alone counts
	if err != nil {
		var spoken *smtp.SMTPError
		if errors.As(err, &spoken) {
			return "", At(Data, err)
		}
		return "", At(Dot, err)
	}
	return answer.StatusText, nil
}

func (c *Conn) announce(e Envelope, size int) error {
	if ok, _ := c.smtp.Extension("SMTPUTF8"); e.UTF8 && !ok {
		return At(Rcpt, &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 6, 7}})
	}
	if limit, ok := c.smtp.MaxMessageSize(); ok && limit > 0 && size > limit {
		return At(Mail, &TooLargeError{limit})
	}
	o := &smtp.MailOptions{Size: int64(size), UTF8: e.UTF8}
	if e.From != "" {
		o.Return, o.EnvelopeID = smtp.DSNReturnHeaders, e.ID
	}
	if err := c.smtp.Mail(e.From, o); err != nil {
		return At(Mail, err)
	}
	return At(Rcpt, c.smtp.Rcpt(e.To, e.options()))
}

// options ask for reports (RFC 3461); go-smtp leaves them out where the server has no DSN.
func (e Envelope) options() *smtp.RcptOptions {
	if e.From == "" {
		return &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifyNever}}
	}
	o := &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifyFailure, smtp.DSNNotifyDelayed}}
	if e.Success {
		o.Notify = append(o.Notify, smtp.DSNNotifySuccess)
	}
	if !e.UTF8 {
		o.OriginalRecipientType, o.OriginalRecipient = smtp.DSNAddressTypeRFC822, e.To
	}
	return o
}

// Usable says whether the connection can carry another mail after one that ended in err: the server has answered to
// all that was said, and has not taken its leave.
func (c *Conn) Usable(err error) bool {
	c.sent++
	if c.sent >= mailsAtOnce || c.ended {
		return false
	}
	var answer *smtp.SMTPError
	return err == nil || errors.As(err, &answer) && answer.Code != 421
}

// Renew makes the server forget a mail that it has refused, and shows that it is still there. False: it is not, and the
// connection is closed.
func (c *Conn) Renew(ctx context.Context) bool {
	stop := c.EndWith(ctx)
	code, _, err := c.guard.ask("RSET", renewTime) // go-smtp would greet anew after it
	if stop() && err == nil && code == 250 {
		return true
	}
	c.Close()
	return false
}
