package email

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/foxcpp/go-mockdns"

	"gangway/core"
	"gangway/transports/email/discover"
	"gangway/transports/email/oauth"
)

type noWeb struct{}

func (noWeb) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no web") }

// linker is a transport of which the world has no DNS but what a test says, and no web.
func linker(t *testing.T, keys map[string]any) *gateway {
	t.Helper()
	all := map[string]any{"mailboxes": []string{"*"}, "mailbox_hosts": []string{"127.0.0.1"}}
	for k, v := range keys {
		all[k] = v
	}
	return start(t, all, func(tr *transport) {
		tr.boxes.finder = &discover.Finder{Resolver: &mockdns.Resolver{}, Client: &http.Client{Transport: noWeb{}}}
	})
}

func (g *gateway) enroll(t *testing.T, user core.UserID, current *core.Account, answers map[string]string) core.Step {
	t.Helper()
	step, err := g.Enroll(t.Context(), user, current, answers)
	if err != nil {
		t.Fatal(err)
	}
	return step
}

func fieldNames(s core.Step) string {
	var names []string
	for _, f := range s.Fields {
		names = append(names, f.Name)
	}
	return strings.Join(names, " ")
}

// The whole conversation: which kind, the two fields, the servers that nobody knows, a wrong password, and the account.
func TestLinkMailbox(t *testing.T) {
	p := startProvider(t)
	g := linker(t, nil)
	step := g.enroll(t, "carol@example.org", nil, nil)
	if fieldNames(step) != "kind" || len(step.Fields[0].Options) != 2 {
		t.Fatalf("%+v", step)
	}
	if step := g.enroll(t, "carol@example.org", nil, map[string]string{"kind": kindAlias}); fieldNames(step) != "alias" {
		t.Errorf("%+v", step)
	}
	answers := map[string]string{"kind": kindBox}
	if step = g.enroll(t, "carol@example.org", nil, answers); fieldNames(step) != "address password" {
		t.Fatalf("%+v", step)
	}
	answers["address"], answers["password"] = boxOwn, "wrong"
	step = g.enroll(t, "carol@example.org", nil, answers)
	if fieldNames(step) != "imap smtp login" || !strings.Contains(step.Text, "mail.example") {
		t.Fatalf("%+v", step)
	}
	answers["imap"], answers["smtp"] = "not a server", p.smtp
	if step = g.enroll(t, "carol@example.org", nil, answers); fieldNames(step) != "imap smtp login" || step.Fields[1].Value != p.smtp {
		t.Fatalf("%+v", step)
	}
	answers["imap"] = p.imap
	step = g.enroll(t, "carol@example.org", nil, answers)
	if fieldNames(step) != "address password" || !strings.Contains(step.Text, "refuses the login") || strings.Contains(step.Text, "wrong") && strings.Contains(step.Text, `"wrong"`) {
		t.Fatalf("%+v", step)
	}
	answers["password"] = boxPassword
	step = g.enroll(t, "carol@example.org", nil, answers)
	if !step.Done || step.Link == nil {
		t.Fatalf("%+v", step)
	}
	a := *step.Link
	if a.Own != boxOwn || a.Realm != boxOwn || !strings.HasPrefix(a.Options[optionIMAP], "imap+plain://alice%40mail.example@127.0.0.1:") || !strings.HasPrefix(a.Options[optionSMTP], "smtp+plain://") {
		t.Errorf("%+v", a)
	}
	if s, err := openSecret(a.Secret); err != nil || s.Password != boxPassword {
		t.Errorf("%v", err)
	}
	if text := step.Text + a.Options[optionIMAP] + a.Options[optionSMTP]; strings.Contains(text, boxPassword) {
		t.Error("the password is where anybody sees it")
	}
	// What was linked works.
	a.ID, a.User, a.Network = "acc-c", "carol@example.org", "email"
	g.follow(t, a)
}

// The password is changed by linking the same address again: the account is the one that was there.
func TestRelinkMailbox(t *testing.T) {
	p := startProvider(t)
	g := linker(t, nil)
	a := p.account(t)
	g.host.Add(a)
	p.change("new password")
	answers := map[string]string{"address": strings.ToUpper(boxOwn), "password": "new password", "imap": p.imap, "smtp": p.smtp}
	step := g.enroll(t, a.User, nil, answers)
	if step.Done || step.Link == nil || step.Link.Realm != boxOwn || p.tried() != 0 {
		t.Fatalf("%+v", step)
	}
	step = g.enroll(t, a.User, &a, answers)
	if !step.Done || step.Link.ID != a.ID || step.Link.Name != a.Name {
		t.Fatalf("%+v", step)
	}
	if s, err := openSecret(step.Link.Secret); err != nil || s.Password != "new password" {
		t.Errorf("%v", err)
	}
	if step := g.enroll(t, a.User, &a, map[string]string{"kind": kindBox}); step.Fields[0].Value != boxOwn {
		t.Errorf("%+v", step)
	}
	// An alias beside it is another account.
	if step := g.enroll(t, a.User, &a, map[string]string{"alias": "alice9"}); !step.Done || step.Link.ID != "" || step.Link.Realm != "" || step.Link.Secret != nil {
		t.Errorf("%+v", step)
	}
}

// Each reason not to link comes in a sentence, before anything is connected to.
func TestWhatIsNotLinked(t *testing.T) {
	p := startProvider(t)
	for name, tt := range map[string]struct {
		keys    map[string]any
		user    core.UserID
		answers map[string]string
		want    string
	}{
		"no address":       {nil, "", map[string]string{"address": "nonsense", "password": "x"}, "@"},
		"ours":             {nil, "", map[string]string{"address": "x@GW.example", "password": "x"}, "given out here"},
		"another domain":   {map[string]any{"mailboxes": []string{"other.example"}}, "", map[string]string{"address": boxOwn, "password": "x"}, "does not link"},
		"somebody else's":  {nil, "mallory@example.org", map[string]string{"address": boxOwn, "password": "x"}, "somebody else"},
		"too many":         {map[string]any{"mailboxes_per_user": 1}, alice.User, map[string]string{"address": "second@mail.example", "password": "x"}, "1 mailboxes"},
		"no password":      {nil, "", map[string]string{"address": "c@mail.example"}, "password"},
		"two lines":        {nil, "", map[string]string{"address": "c@mail.example", "password": "x\r\ny"}, "one line"},
		"closed":           {nil, "", map[string]string{"address": "c@proton.me", "password": "x"}, "Proton"},
		"tokens only":      {nil, "", map[string]string{"address": "c@outlook.com", "password": "x"}, "not set up"},
		"not the Internet": {map[string]any{"mailbox_hosts": []string{}}, "", map[string]string{"address": "c@mail.example", "password": "x", "imap": p.imap, "smtp": p.smtp}, "connects to no mail servers"},
		"nobody is there":  {nil, "", map[string]string{"address": "c@mail.example", "password": "x", "imap": "127.0.0.1:1", "smtp": p.smtp}, "does not answer"},
		"login of another": {nil, "", map[string]string{"address": "c@mail.example", "password": boxPassword, "imap": p.imap, "smtp": p.smtp}, "refuses the login"},
	} {
		t.Run(name, func(t *testing.T) {
			g := linker(t, tt.keys)
			g.host.Add(p.account(t))
			user := tt.user
			if user == "" {
				user = "carol@example.org"
			}
			if step := g.enroll(t, user, nil, tt.answers); step.Done || !strings.Contains(step.Text, tt.want) || len(step.Fields) == 0 {
				t.Errorf("%+v", step)
			}
		})
	}
}

// Only mailboxes: nobody is asked for an alias, nor gets one. Neither: nobody is asked which.
func TestKindsOfAddresses(t *testing.T) {
	only := &transport{settings: settings{boxSettings: boxSettings{Mailboxes: []string{"*"}}}}
	if step, err := only.Enroll(t.Context(), "c@x", nil, nil); err != nil || fieldNames(step) != "address password" {
		t.Errorf("%+v, %v", step, err)
	}
	g := start(t, nil, nil)
	if step := g.enroll(t, "c@x", nil, map[string]string{"kind": kindBox, "address": boxOwn}); fieldNames(step) != "alias" {
		t.Errorf("%+v", step)
	}
	a := core.Account{ID: "a", User: "c@x", Own: boxOwn, Realm: boxOwn}
	if _, err := g.Open(a); core.KindOf(err) != core.Denied {
		t.Errorf("a mailbox that is not allowed any more: %v", err)
	}
}

// A provider that wants tokens: the page and the code, as often as it takes, and then the account.
func TestLinkByCode(t *testing.T) {
	p := startProvider(t)
	allowed, begun := false, 0
	as := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("Content-Type", "application/json")
		var answer map[string]any
		switch {
		case r.URL.Path == "/device":
			begun++
			answer = map[string]any{"device_code": "d", "user_code": "CODE-1", "verification_uri": "https://as.example/go", "expires_in": 900, "interval": 1}
		case r.Form.Get("grant_type") == "refresh_token":
			answer = map[string]any{"access_token": "token", "token_type": "Bearer", "expires_in": 3600}
		case !allowed:
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]any{"error": "access_denied"}
		default:
			answer = map[string]any{"access_token": "token", "refresh_token": "r1", "token_type": "Bearer", "expires_in": 3600}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	defer as.Close()
	g := linker(t, map[string]any{"oauth": map[string]oauthSettings{"as": {
		ClientID: "me", DeviceURL: as.URL + "/device", TokenURL: as.URL + "/token", Domains: []string{"mail.example"}, Title: "The Provider",
	}}})
	answers := map[string]string{"address": boxOwn, "imap": p.imap, "smtp": p.smtp}
	step := g.enroll(t, "carol@example.org", nil, answers)
	if fieldNames(step) != "allowed" || !strings.Contains(step.Text, "https://as.example/go") || !strings.Contains(step.Text, "CODE-1") || !step.More {
		t.Fatalf("%+v", step)
	}
	answers["allowed"] = "true"
	if step = g.enroll(t, "carol@example.org", nil, answers); fieldNames(step) != "address password" || !strings.Contains(step.Text, "not allowed at The Provider") {
		t.Fatalf("%+v", step)
	}
	allowed = true
	if step = g.enroll(t, "carol@example.org", nil, answers); fieldNames(step) != "allowed" || begun != 2 {
		t.Fatalf("%+v", step)
	}
	// The server in memory takes no tokens: that is said, and the token is not lost.
	step = g.enroll(t, "carol@example.org", nil, answers)
	if step.Done || !strings.Contains(step.Text, "IMAP") {
		t.Fatalf("%+v", step)
	}
	if got := g.boxes.grants.of(grantKey{"carol@example.org", boxOwn}); got.token.Refresh != "r1" {
		t.Errorf("%+v", got.token)
	}
}

// A token is used while it is good, and a new refresh token is kept before anything else happens with it.
func TestTokens(t *testing.T) {
	n := 0
	as := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("Content-Type", "application/json")
		if r.Form.Get("refresh_token") != "r"+strconv.Itoa(n) {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": "invalid_grant"})
			return
		}
		n++
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "a" + strconv.Itoa(n), "refresh_token": "r" + strconv.Itoa(n), "token_type": "Bearer", "expires_in": 3600})
	}))
	defer as.Close()
	p := startProvider(t)
	g := linker(t, map[string]any{"oauth": map[string]oauthSettings{"as": {ClientID: "me", DeviceURL: as.URL + "/d", TokenURL: as.URL + "/t"}}})
	a := p.account(t)
	var err error
	if a.Secret, err = (secret{Provider: "as", Refresh: "r0"}).seal(); err != nil {
		t.Fatal(err)
	}
	g.host.Add(a)
	s, err := g.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	b := s.(*session).box()
	get := func(want string) {
		t.Helper()
		if got, err := b.tokens.get(t.Context()); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	get("a1")
	get("a1")
	b.tokens.spoil()
	get("a2")
	if kept, err := g.host.Account(t.Context(), a.ID); err != nil || !strings.Contains(string(kept.Secret), `"refresh":"r2"`) {
		t.Errorf("%v, %v", string(kept.Secret), err)
	}
	// Another session, opened with what is no longer good, finds what is.
	s, err = g.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	b = s.(*session).box()
	get("a3")
	n = 10
	b.tokens.spoil()
	if _, err := b.tokens.get(t.Context()); !errors.Is(err, oauth.ErrRevoked) {
		t.Error(err)
	}
	err = b.run(t.Context())
	if core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Sentence(), "Link it again") {
		t.Error(err)
	}
	m := &core.Message{Ref: core.Ref{Account: a.ID, Peer: "bob@example.com"}, IDs: core.IDs{ID: core.NewID()}, Text: "hi"}
	if _, err := s.Send(context.WithoutCancel(t.Context()), m); core.KindOf(err) != core.Denied {
		t.Error(err)
	}
}

func TestBoxSettings(t *testing.T) {
	for name, tt := range map[string]struct {
		keys map[string]any
		want string
	}{
		"least":          {map[string]any{"mailboxes": []string{"*"}}, ""},
		"domains":        {map[string]any{"mailboxes": []string{"Example.ORG", "bücher.example"}}, ""},
		"no domain":      {map[string]any{"mailboxes": []string{"not a domain"}}, "mailboxes"},
		"most":           {map[string]any{"mailboxes_per_user": 51}, "mailboxes_per_user"},
		"database":       {map[string]any{"mailbox_database": "http://x/"}, "https"},
		"no such file":   {map[string]any{"mailbox_ca": "/nonexistent"}, "mailbox_ca"},
		"google":         {map[string]any{"oauth": map[string]oauthSettings{"google": {ClientID: "me", ClientSecret: "s"}}}, ""},
		"no client":      {map[string]any{"oauth": map[string]oauthSettings{"google": {}}}, "oauth.google: client_id"},
		"unknown":        {map[string]any{"oauth": map[string]oauthSettings{"own": {ClientID: "me"}}}, "https URL"},
		"another domain": {map[string]any{"oauth": map[string]oauthSettings{"google": {ClientID: "me", Domains: []string{"a b"}}}}, "domains"},
	} {
		_, err := Driver().New(linker(t, nil).host, decoder(with(tt.keys, "domain", domain, "relay", "smtp://127.0.0.1:1")))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func with(keys map[string]any, more ...any) map[string]any {
	all := map[string]any{}
	for k, v := range keys {
		all[k] = v
	}
	for i := 0; i+1 < len(more); i += 2 {
		all[more[i].(string)] = more[i+1]
	}
	return all
}
