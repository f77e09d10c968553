package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"
)

// Envelope is what SMTP is told about a message (RFC 5321), apart from the message.
type Envelope struct {
	From   string   // empty: <>
	To     []string // each is accepted, or Submit fails
	Notify []smtp.DSNNotify
	ID     string // ENVID of RFC 3461, if any
	UTF8   bool   // SMTPUTF8 (RFC 6531)
}

// Send hands a message to Postfix, as from one person to another. raw is the message with its header.
func (m *Mail) Send(ctx context.Context, from, to string, raw []byte) error {
	return m.Submit(ctx, Envelope{From: from, To: []string{to}}, raw)
}

// Submit hands a message to Postfix. A refusal is a *smtp.SMTPError.
func (m *Mail) Submit(ctx context.Context, e Envelope, raw []byte) error {
	return Submit(ctx, m.SMTPAddr(), e, raw)
}

// Submit hands a message to the mail server at an address. A refusal is a *smtp.SMTPError.
func Submit(ctx context.Context, addr string, e Envelope, raw []byte) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	c := smtp.NewClient(conn)
	defer c.Close() //nolint:errcheck // after QUIT it is closed
	if err := submit(c, e, raw); err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	_ = c.Quit() // the message is theirs
	return nil
}

func submit(c *smtp.Client, e Envelope, raw []byte) error {
	if err := c.Mail(e.From, &smtp.MailOptions{Size: int64(len(raw)), EnvelopeID: e.ID, UTF8: e.UTF8}); err != nil {
		return err
	}
	for _, to := range e.To {
		if err := c.Rcpt(to, &smtp.RcptOptions{Notify: e.Notify}); err != nil {
			return err
		}
	}
	data, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := data.Write(raw); err != nil {
		return errors.Join(err, data.Close())
	}
	return data.Close()
}

// Messages reads a user's inbox over IMAP: each message as it arrived, oldest first.
func (m *Mail) Messages(ctx context.Context, user string) ([][]byte, error) {
	box, err := m.open(ctx, user)
	if err != nil {
		return nil, err
	}
	defer box.close()
	return box.fetch(1)
}

// WaitMessage waits until the user's inbox holds a message that matches, and returns it. Messages that were there
// before count.
func (m *Mail) WaitMessage(ctx context.Context, user string, match func(raw []byte) bool) ([]byte, error) {
	box, err := m.open(ctx, user)
	if err != nil {
		return nil, err
	}
	defer box.close()
	for seen := 0; ; {
		raws, err := box.fetch(box.next)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("wait for mail to %s: %w; %d other messages came", user, context.Cause(ctx), seen)
		}
		if err != nil {
			return nil, fmt.Errorf("wait for mail to %s: %w", user, err)
		}
		for _, raw := range raws {
			if match(raw) {
				return raw, nil
			}
		}
		seen += len(raws)
		select {
		case <-time.After(5 * pollEvery):
		case <-ctx.Done():
		}
	}
}

// Contains matches messages that hold text, as it stands in them.
func Contains(text string) func(raw []byte) bool {
	return func(raw []byte) bool { return bytes.Contains(raw, []byte(text)) }
}

// mailbox is one IMAP connection with the inbox open.
type mailbox struct {
	client *imapclient.Client
	stop   func() bool
	next   imap.UID // above every message fetched so far
}

func (m *Mail) open(ctx context.Context, user string) (*mailbox, error) {
	password, ok := m.Dovecot.passwords[user]
	if !ok {
		return nil, fmt.Errorf("mailbox: no user %q", user)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", m.IMAPAddr())
	if err != nil {
		return nil, fmt.Errorf("mailbox of %s: %w", user, err)
	}
	box := &mailbox{client: imapclient.New(conn, nil), next: 1}
	box.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	err = box.client.Login(user, password).Wait()
	if err == nil {
		_, err = box.client.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	}
	if err != nil {
		box.close()
		return nil, fmt.Errorf("mailbox of %s: %w", user, err)
	}
	return box, nil
}

// fetch returns the messages from that UID on.
func (b *mailbox) fetch(from imap.UID) ([][]byte, error) {
	if err := b.client.Noop().Wait(); err != nil { // lets the server look for new mail
		return nil, fmt.Errorf("noop: %w", err)
	}
	var set imap.UIDSet
	set.AddRange(from, 0) // "n:*" is never empty: it holds the last message, even one below n
	section := &imap.FetchItemBodySection{Peek: true}
	got, err := b.client.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	var raws [][]byte
	for _, msg := range got {
		if msg.UID < from {
			continue
		}
		raws = append(raws, msg.FindBodySection(section))
		b.next = max(b.next, msg.UID+1)
	}
	return raws, nil
}

func (b *mailbox) close() {
	if b.stop() {
		_ = b.client.Logout().Wait() // only to be polite
	}
	_ = b.client.Close()
}
