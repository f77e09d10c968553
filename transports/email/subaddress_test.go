package email

import (
	"strings"
	"testing"
)

// TestSubaddressAnswers: an answer to what came to a subaddress comes from it; what begins anew does not.
func TestSubaddressAnswers(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	g.deliverMail(t, "bob@example.com", "alice+shop@gw.example", mail)
	s := g.session(t)
	fresh := note("new")
	fresh.Subject = "another matter"
	other := note("to another")
	other.Peer = "carol@example.com"
	for _, tt := range []struct {
		m    string
		want string
	}{{"answer", "<alice+shop@gw.example>"}, {"again", "<alice+shop@gw.example>"}} {
		if _, err := s.Send(t.Context(), note(tt.m)); err != nil {
			t.Fatal(err)
		}
		if got := (<-relay.mails).mail; !strings.Contains(got, "\nFrom: \"Alice Doe\" "+tt.want) && !strings.Contains(got, "From: Alice Doe "+tt.want) {
			t.Errorf("%s: %s", tt.m, got)
		}
	}
	if _, err := s.Send(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	if got := (<-relay.mails).mail; strings.Contains(got, "alice+shop") {
		t.Errorf("a new subject: %s", got)
	}
	if _, err := s.Send(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if got := (<-relay.mails).mail; strings.Contains(got, "alice+shop") {
		t.Errorf("to another: %s", got)
	}
}
