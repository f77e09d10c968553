package world

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"gangway/integration/servers"
	"gangway/integration/twilio"
)

const configuration = `
admins = ["admin@example.test"]

[xmpp]
server = "{{.World.XMPP.ComponentAddr}}"
domain = "example.test"

[store]
url = "sqlite:{{.Dir}}/gangway.db"

[access]
allow = ["{{.Access}}"]
{{- if .Guests}}
approve = true
invites = true
{{- end}}

[limits]
messages = 0
registrations = 0
domain_registrations = 0

[web]
listen = "{{.World.Web}}"
hooks = "{{.World.Hooks}}"
public_url = "http://{{.World.Hooks}}"

[media]
trusted = ["{{.Uploads}}"]
{{.Media}}

[log]
level = "debug"

[transport.email]
domain = "email.example.test"
secret = "secret"
lmtp = "{{.World.LMTP}}"
relay = "smtp://{{.World.Mail.SMTPAddr}}"
new_user_hour = 0
new_user_day = 0
new_recipients = 0
pair_hour = 0
same_hour = 0
hold = "{{.Hold}}"
dkim_keys = "{{.Dir}}/dkim"

[transport.sms]
domain = "sms.example.test"
secret = "secret"
provider = "twilio"
account = "{{.Account}}"
token = "{{.Token}}"
api_url = "{{.World.API}}"
numbers = ["{{.Numbers}}"]

{{- if .Loopback}}
[transport.loopback]
domain = "loop.example.test"
secret = "secret"
{{- end}}

[transport.irc]
domain = "irc.example.test"
secret = "secret"
networks = ["irc.test"]
{{.IRC}}

[transport.irc.network."irc.test"]
{{- if .CA}}
address = "ircs://{{.World.IRC.TLSAddr}}"
ca = "{{.CA}}"
{{- else}}
address = "irc://{{.World.IRC.Addr}}"
{{- end}}
`

// settings is what the configuration above names.
type settings struct {
	World              *World
	Dir, Access        string
	Account, Token, CA string
	Numbers            string
	Uploads, Media     string
	Hold               string
	IRC                string
	Guests, Loopback   bool
}

func (w *World) gangway(o Options) (err error) {
	dir := filepath.Dir(w.Config)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s := settings{World: w, Dir: dir, Access: o.Access, Account: twilio.DefaultAccountSID, Token: twilio.DefaultAuthToken}
	s.Uploads, s.Media = strings.Trim(strings.TrimPrefix(w.XMPP.HTTPURL(), "http://"), "/"), o.Media
	s.IRC, s.Hold = o.IRC, cmp.Or(o.Hold, "0s")
	s.Guests, s.Loopback = o.Guests, o.Loopback
	if o.IRCTLS {
		if s.CA, err = w.IRC.CAFile(); err != nil {
			return err
		}
	}
	numbers := make([]string, o.Numbers)
	for n := range numbers {
		numbers[n] = Number(n + 1)
	}
	s.Numbers = strings.Join(numbers, `", "`)
	var text strings.Builder
	if err := template.Must(template.New("gangway.toml").Parse(configuration)).Execute(&text, s); err != nil {
		return err
	}
	if err := os.WriteFile(w.Config, []byte(text.String()+o.Extra), 0o600); err != nil {
		return err
	}
	w.Gangway, err = servers.NewGangway(servers.GangwayConfig{Dir: dir, Binary: o.Binary, Config: w.Config, Web: w.Web})
	return err
}
