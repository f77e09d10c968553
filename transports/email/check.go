package email

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"gangway/core"
)

const checkTimeout = 20 * time.Second

// Check looks at the listeners and talks to the relay. It sends nothing.
func (t *transport) Check(ctx context.Context) []core.Finding {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	all := []core.Finding{{Name: "domain", Text: "mail for @" + t.domain}}
	if len(t.settings.Mailboxes) > 0 {
		all = append(all, t.checkBoxes())
	}
	if !t.servesDomain() {
		return all
	}
	if t.settings.LMTP == "" && t.settings.SMTP == "" {
		all = append(all, core.Finding{
			Name: "listeners", Warn: true, Err: errors.New("there are none"), Text: `set lmtp or smtp to receive mail`,
		})
	}
	if t.settings.LMTP != "" {
		all = append(all, t.checkListener(ctx, "lmtp", t.settings.LMTP))
	}
	if t.settings.SMTP != "" {
		all = append(all, t.checkListener(ctx, "smtp", t.settings.SMTP))
		if t.tls == nil {
			all = append(all, core.Finding{
				Name: "smtp tls", Warn: true, Err: errors.New("mail comes in unencrypted"), Text: "set tls_cert and tls_key",
			})
		}
	}
	all = append(all, t.checkDKIM())
	switch c := t.carrier.(type) {
	case *relay:
		all = append(all, checkRelay(ctx, c))
	case *direct:
		all = append(all, t.checkDirect(ctx)...)
	}
	return all
}

// checkListener finds the address free, or taken by a gateway of the same domain that runs.
func (t *transport) checkListener(ctx context.Context, name, addr string) core.Finding {
	f := core.Finding{Name: name}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err == nil {
		l.Close()
		f.Text = addr + " is free"
		return f
	}
	if greeting(ctx, addr, t.wire) {
		f.Text = addr + " is served by gangway already"
		return f
	}
	f.Err, f.Text = err, "choose another address, or stop what uses this one"
	return f
}

// greeting says whether somebody at addr introduces themselves as domain.
func greeting(ctx context.Context, addr, domain string) bool {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 512)
	n, _ := c.Read(b)
	return strings.HasPrefix(string(b[:n]), "220 "+domain+" ")
}

func checkRelay(ctx context.Context, r *relay) core.Finding {
	f := core.Finding{Name: "relay"}
	c, err := r.dial(ctx)
	if err != nil {
		f.Err = err
		f.Text = "see that the relay runs, and that it lets this machine send"
		return f
	}
	var has []string
	for _, ext := range []string{"DSN", "SIZE", "STARTTLS", "SMTPUTF8"} {
		if ok, value := c.Extension(ext); ok {
			has = append(has, strings.TrimSpace(ext+" "+value))
		}
	}
	c.Quit() // it was only looked at
	f.Text = r.host + " answers; it offers " + strings.Join(has, ", ")
	if len(has) == 0 {
		f.Text = r.host + " answers; it offers no extension that is used"
	}
	return f
}
