package mapping

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
)

func invite(t testing.TB, m *Map, in Invite) (string, Invite) {
	t.Helper()
	token, made, err := m.NewInvite(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return token, made
}

func TestRedeem(t *testing.T) {
	m, clock := newMap(t)
	ctx := t.Context()
	token, made := invite(t, m, Invite{Network: "irc", By: "admin@example.org", Uses: 2, Expires: clock.now().Add(time.Hour)})
	redeem := func(user core.UserID, network, token string) error {
		_, err := m.Redeem(ctx, user, network, token)
		return err
	}
	for name, bad := range map[string]string{
		"empty": "", "nonsense": "please", "short": token[:34], "long": strings.Repeat(token, 100), "another": newToken(),
	} {
		wantKind(t, name, redeem(alice, "irc", bad), core.NotFound)
	}
	wantKind(t, "for another network", redeem(alice, "email", token), core.NotFound)
	p, err := m.Redeem(ctx, alice, "irc", " "+strings.ToUpper(strings.ReplaceAll(token, "-", " "))+"\n")
	if err != nil || p.Standing != core.Registered || p.InvitedBy != "admin@example.org" {
		t.Errorf("%+v, %v", p, err)
	}
	if err := redeem(alice, "irc", token); err != nil { // uses nothing up
		t.Error(err)
	}
	if all, err := m.Invites(ctx); err != nil || len(all) != 1 || all[0].Uses != 1 || all[0].ID != made.ID {
		t.Errorf("%+v, %v", all, err)
	}
	stand(t, m, "eve@example.org", core.Suspended)
	wantKind(t, "who is suspended", redeem("eve@example.org", "irc", token), core.Denied)
	if err := redeem(bob, "irc", token); err != nil {
		t.Error(err)
	}
	wantKind(t, "used up", redeem("carol@example.org", "irc", token), core.NotFound)

	late, _ := invite(t, m, Invite{Expires: clock.now().Add(time.Hour)})
	clock.pass(2 * time.Hour)
	wantKind(t, "too late", redeem("carol@example.org", "irc", late), core.NotFound)
	if all, _ := m.Invites(ctx); len(all) != 0 {
		t.Errorf("listed: %+v", all)
	}
	if n, err := m.Sweep(ctx); err != nil || n != 2 {
		t.Errorf("%d swept, %v", n, err)
	}
}

func TestRevokeInvite(t *testing.T) {
	m, clock := newMap(t)
	token, made := invite(t, m, Invite{})
	if made.Uses != 1 || !made.Expires.IsZero() || made.Created != clock.now() {
		t.Errorf("%+v", made)
	}
	if err := m.RevokeInvite(t.Context(), strings.ToUpper(made.ID)); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "revoked twice", m.RevokeInvite(t.Context(), made.ID), core.NotFound)
	_, err := m.Redeem(t.Context(), alice, "irc", token)
	wantKind(t, "revoked", err, core.NotFound)
	for name, bad := range map[string]Invite{
		"uses": {Uses: -1}, "many": {Uses: maxUses + 1}, "over": {Expires: clock.now()}, "note": {Note: strings.Repeat("x", maxNote+1)},
	} {
		_, _, err := m.NewInvite(t.Context(), bad)
		wantKind(t, name, err, core.Invalid)
	}
}

// The token is nowhere in the database, and no two are alike.
func TestTokenIsNotKept(t *testing.T) {
	m, _ := newMap(t)
	token, _ := invite(t, m, Invite{})
	if len(token) != 35 || token == newToken() {
		t.Errorf("token %q", token)
	}
	for _, column := range []string{"id", "hex(hash)", "note", "made_by"} {
		if n := count(t, m, "invites", "instr(lower("+column+"), '"+token[:8]+"') > 0"); n != 0 {
			t.Errorf("the token stands in %s", column)
		}
	}
}

func FuzzToken(f *testing.F) {
	for _, s := range []string{"", "abcdefgh-abcdefgh-abcdefgh-abcdefgh", "ABCDEFGH ABCDEFGH ABCDEFGH ABCDEFGH", "1", "ſſſſſſſſ", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		hash := tokenHash(s)
		if hash == nil {
			return
		}
		if len(hash) != 32 || string(tokenHash(strings.ToUpper(s))) != string(hash) || string(tokenHash("-"+s)) != string(hash) && len(s) < 200 {
			t.Errorf("%q", s)
		}
	})
}
