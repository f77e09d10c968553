package email

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

func TestAlsoRead(t *testing.T) {
	const mail = "From: Bob <bob@example.com>\r\nTo: alice+x@gw.example, \"Carol\" <carol@example.com>\r\n" +
		"Cc: dave@example.com, CAROL@example.com, bob@example.com, not an address\r\n%\r\nHello\r\n"
	for extra, want := range map[string][]core.Address{
		"":                             {"carol@example.com", "dave@example.com"},
		"List-Id: <l.example.com>\r\n": nil,
	} {
		l := readLetter([]byte(strings.Replace(mail, "%", extra, 1)), "bob@example.com", time.Unix(0, 0))
		if got := l.also("alice@gw.example"); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", extra, got, want)
		}
	}
}

func TestAlsoWritten(t *testing.T) {
	from, _ := parseAddress("alice@gw.example")
	to, _ := parseAddress("bob@example.com")
	mail, err := compose(outgoing{
		id: "<1@gw.example>", from: from, to: to, subject: "x", text: "Hello",
		also: copied([]core.Address{"carol@example.com", "ö@example.com", "x\r\nBcc: y@z", "dave@example.com"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(mail), "\r\n\r\n")
	if !strings.Contains(head, "\r\nTo: <bob@example.com>\r\nCc: <carol@example.com>, <dave@example.com>\r\n") || strings.Contains(head, "Bcc") {
		t.Errorf("the header is\n%s", head)
	}
}
