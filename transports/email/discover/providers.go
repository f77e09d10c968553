package discover

import (
	"slices"
	"strings"
)

// Provider is one of the largest providers of mailboxes.
type Provider struct {
	Name    string
	domains []string // of addresses; "yahoo.*" is one label for the star, "gmx.net" itself only
	mx      []string // its exchangers, and whatever is below these names
	imap    Server   // without a User
	smtp    Server

	// OAuth names the authorization server that gives out tokens for it; empty: none that takes programs like this one.
	OAuth string
	// TokenOnly says that it takes no passwords at all.
	TokenOnly bool
	// AppPassword is the page where a password for programs is made, which it wants instead of the account's own; empty:
	// the account's own will do.
	AppPassword string
	// SavesSent says that what is submitted to it is in the sent folder by itself.
	SavesSent bool
	// Closed is a sentence that says why the mailbox cannot be reached at all; empty: it can.
	Closed string
	// Switch is a sentence about what has to be switched on there first; may be empty.
	Switch string
}

func implicit(host string, port int) Server {
	return Server{Host: host, Port: port, Security: TLS, Sure: true}
}

// upgraded is a server for submission with STARTTLS.
func upgraded(host string) Server {
	return Server{Host: host, Port: 587, Security: StartTLS, Sure: true}
}

// providers is what the help pages of the providers say.
func providers() []*Provider {
	return []*Provider{
		{
			Name: "Gmail", domains: []string{"gmail.com", "googlemail.com"}, mx: []string{"google.com", "googlemail.com"},
			imap: implicit("imap.gmail.com", 993), smtp: implicit("smtp.gmail.com", 465),
			OAuth: "google", AppPassword: "https://myaccount.google.com/apppasswords", SavesSent: true,
		},
		{
			Name: "Outlook.com", domains: []string{"outlook.*", "hotmail.*", "live.*", "msn.com"}, mx: []string{"olc.protection.outlook.com"},
			imap: implicit("outlook.office365.com", 993), smtp: upgraded("smtp-mail.outlook.com"),
			OAuth: "microsoft", TokenOnly: true, SavesSent: true,
		},
		{
			Name: "Microsoft 365", mx: []string{"mail.protection.outlook.com", "mx.microsoft"},
			imap: implicit("outlook.office365.com", 993), smtp: upgraded("smtp.office365.com"),
			OAuth: "microsoft", TokenOnly: true, SavesSent: true,
		},
		{
			Name: "Yahoo", domains: []string{"yahoo.*", "ymail.com", "rocketmail.com", "myyahoo.com"}, mx: []string{"yahoodns.net"},
			imap: implicit("imap.mail.yahoo.com", 993), smtp: implicit("smtp.mail.yahoo.com", 465),
			AppPassword: "https://login.yahoo.com/account/security", SavesSent: true,
		},
		{
			Name: "AOL", domains: []string{"aol.com", "aim.com"},
			imap: implicit("imap.aol.com", 993), smtp: implicit("smtp.aol.com", 465), AppPassword: "https://login.aol.com/account/security", SavesSent: true,
		},
		{
			Name: "iCloud", domains: []string{"icloud.com", "me.com", "mac.com"}, mx: []string{"mail.icloud.com"},
			imap: implicit("imap.mail.me.com", 993), smtp: upgraded("smtp.mail.me.com"), AppPassword: "https://account.apple.com/account/manage",
		},
		{
			Name: "Fastmail", domains: []string{"fastmail.com", "fastmail.fm", "fastmail.net", "sent.com"}, mx: []string{"messagingengine.com"},
			imap: implicit("imap.fastmail.com", 993), smtp: implicit("smtp.fastmail.com", 465), AppPassword: "https://app.fastmail.com/settings/security",
		},
		{
			Name: "GMX", domains: []string{"gmx.net", "gmx.de", "gmx.at", "gmx.ch"}, mx: []string{"gmx.net"},
			imap: implicit("imap.gmx.net", 993), smtp: implicit("mail.gmx.net", 465), Switch: "IMAP has to be allowed first, in the settings of GMX (POP3/IMAP).",
		},
		{
			Name: "GMX", domains: []string{"gmx.com", "gmx.us", "gmx.co.uk", "gmx.fr", "gmx.es"},
			imap: implicit("imap.gmx.com", 993), smtp: implicit("mail.gmx.com", 465), Switch: "IMAP has to be allowed first, in the settings of GMX (POP3/IMAP).",
		},
		{
			Name: "WEB.DE", domains: []string{"web.de", "email.de"},
			imap: implicit("imap.web.de", 993), smtp: upgraded("smtp.web.de"), Switch: "IMAP has to be allowed first, in the settings of WEB.DE (POP3/IMAP).",
		},
		{
			Name: "T-Online", domains: []string{"t-online.de", "magenta.de"},
			imap: implicit("secureimap.t-online.de", 993), smtp: implicit("securesmtp.t-online.de", 465),
			Switch: "T-Online wants its own e-mail password, which is made in the customer centre.",
		},
		{
			Name: "mailbox.org", domains: []string{"mailbox.org"}, mx: []string{"mailbox.org"},
			imap: implicit("imap.mailbox.org", 993), smtp: implicit("smtp.mailbox.org", 465),
		},
		{Name: "Posteo", domains: []string{"posteo.de", "posteo.net", "posteo.org"}, mx: []string{"posteo.de"}, imap: implicit("posteo.de", 993), smtp: implicit("posteo.de", 465)},
		{
			Name: "Zoho", domains: []string{"zoho.com", "zohomail.com"}, mx: []string{"zoho.com"},
			imap: implicit("imap.zoho.com", 993), smtp: implicit("smtp.zoho.com", 465), AppPassword: "https://accounts.zoho.com/home#security/app_password",
		},
		{
			Name: "Yandex", domains: []string{"yandex.com", "yandex.ru", "ya.ru"}, mx: []string{"yandex.net", "yandex.ru"},
			imap: implicit("imap.yandex.com", 993), smtp: implicit("smtp.yandex.com", 465), AppPassword: "https://id.yandex.com/security/app-passwords",
		},
		{
			Name: "Mail.ru", domains: []string{"mail.ru", "inbox.ru", "list.ru", "bk.ru"}, mx: []string{"mail.ru"},
			imap: implicit("imap.mail.ru", 993), smtp: implicit("smtp.mail.ru", 465), AppPassword: "https://account.mail.ru/user/2-step-auth/passwords/",
		},
		{
			Name: "QQ Mail", domains: []string{"qq.com", "foxmail.com"}, mx: []string{"qq.com"},
			imap: implicit("imap.qq.com", 993), smtp: implicit("smtp.qq.com", 465), AppPassword: "https://wx.mail.qq.com/account",
		},
		{Name: "Proton Mail", domains: []string{"proton.me", "protonmail.com", "pm.me"}, mx: []string{"protonmail.ch"}, Closed: "Proton Mail can be read by its own programs only."},
		{Name: "Tuta", domains: []string{"tuta.com", "tuta.io", "tutanota.com", "tutanota.de", "tutamail.com", "keemail.me"}, mx: []string{"tutanota.de"}, Closed: "Tuta can be read by its own programs only."},
	}
}

func byDomain(domain string) *Provider {
	for _, p := range providers() {
		if slices.ContainsFunc(p.domains, func(d string) bool { return isDomain(domain, d) }) {
			return p
		}
	}
	return nil
}

// isDomain compares a domain with one of the table, where "name.*" is the name under any public suffix.
func isDomain(domain, pattern string) bool {
	name, any := strings.CutSuffix(pattern, ".*")
	if !any {
		return domain == pattern
	}
	label, _, _ := strings.Cut(domain, ".")
	return label == name && organisation(domain) == domain
}

// byExchanger finds the provider that an MX host is of. The longest name counts.
func byExchanger(host string) *Provider {
	var best *Provider
	length := 0
	for _, p := range providers() {
		for _, name := range p.mx {
			if len(name) > length && (host == name || strings.HasSuffix(host, "."+name)) {
				best, length = p, len(name)
			}
		}
	}
	return best
}

// found is the table's answer for an address.
func (p *Provider) found(local, domain string) Found {
	found := Found{Provider: p}
	if p.Closed != "" {
		return found
	}
	imap, smtp := p.imap, p.smtp
	imap.User, smtp.User = local+"@"+domain, local+"@"+domain
	found.IMAP, found.SMTP = []Server{imap}, []Server{smtp}
	return found
}
