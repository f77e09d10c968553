package email

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/transporttest"
)

// TestSecurityIsTested: docs/mail-security.md has 20 lines, and the tests that it names.
func TestSecurityIsTested(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "mail-security.md"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^\| (\w+) \| .* \| (.*) \|$`)
	named := regexp.MustCompile("([a-z/]+): `((?:Test|Fuzz)\\w+)`")
	lines := map[string]bool{}
	for _, row := range line.FindAllStringSubmatch(string(page), -1) {
		lines[row[1]] = true
		tests := named.FindAllStringSubmatch(row[2], -1)
		if len(tests) == 0 || len(tests) != strings.Count(row[2], "`")/2 {
			t.Errorf("line %s: tests are written as folder: `TestName`", row[1])
		}
		for _, test := range tests {
			if !hasTest(t, filepath.Join(root, test[1]), test[2]) {
				t.Errorf("line %s: there is no %s in %s", row[1], test[2], test[1])
			}
		}
	}
	for i := range 20 {
		if n := strconv.Itoa(i + 1); !lines[n] {
			t.Errorf("line %s is missing", n)
		}
	}
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("\nfunc "+name+"(")) {
			return true
		}
	}
	return false
}

// TestArchivesStayShut: a file is passed on byte by byte, whatever is in it.
func TestArchivesStayShut(t *testing.T) {
	zip := append([]byte("PK\x03\x04\x14\x00\x00\x00\x08\x00 ten gigabytes of nothing"), bytes.Repeat([]byte{0xff, 0}, 1000)...)
	raw := "From: bob@example.com\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; name=\"a.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(zip) + "\r\n"
	l := readLetter([]byte(raw), "", today)
	all := l.files()
	if len(all) != 1 || all[0].Name != "a.zip" || !bytes.Equal(all[0].content(), zip) {
		t.Errorf("%d files", len(all))
	}
}

// TestReadingFetchesNothing: what reads a mail cannot reach the network.
func TestReadingFetchesNothing(t *testing.T) {
	for _, dir := range []string{"mime", "calendar", "tnef"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range f.Imports {
				if path, _ := strconv.Unquote(i.Path.Value); path == "net" || strings.HasPrefix(path, "net/http") {
					t.Errorf("%s imports %s", file, path)
				}
			}
		}
	}
}

// loud is a host that keeps what is logged above debug.
type loud struct {
	*transporttest.Host
	log *slog.Logger
}

func (l loud) Logger() *slog.Logger { return l.log }

// TestLogsSayNothing: neither addresses nor texts are in the log, whatever goes wrong.
func TestLogsSayNothing(t *testing.T) {
	var out bytes.Buffer
	host := loud{transporttest.NewHost(t, alice), slog.New(slog.NewTextHandler(&out, nil))}
	made, err := newTransport(host, decoder(map[string]any{"domain": domain, "relay": "smtp://127.0.0.1:1", "hmac_key": "0123456789abcdef"}))
	if err != nil {
		t.Fatal(err)
	}
	tr := made.(*transport)
	const secret = "canary"
	raw := "From: " + secret + "@" + secret + ".example\r\nSubject: " + secret + "\r\nMessage-ID: <" + secret + "@x>\r\n\r\n" + secret + "\r\n"
	to := []recipient{{given: "alice@gw.example", account: alice}, {given: "b=x@gw.example", bounce: core.NewID()}}
	for _, failure := range []error{nil, core.E(core.Denied, "test", ""), core.E(core.Unavailable, "test", "")} {
		host.Refuse(failure)
		for i, extra := range []string{"", "X-Loop: gw.example\r\nX-Loop: gw.example\r\nX-Loop: gw.example\r\n"} {
			mail := strings.Replace(extra+raw, "<"+secret, fmt.Sprintf("<%s%d", secret, i), 1)
			tr.deliver(context.Background(), []byte(mail), arrival{from: secret + "@example.com"}, to)
		}
	}
	host.Refuse(nil)
	s, err := tr.Open(alice)
	if err != nil {
		t.Fatal(err)
	}
	m := note(secret)
	m.Peer = core.Address(secret + "@example.com")
	if _, err := s.Send(t.Context(), m); err == nil {
		t.Error("a relay that is away took a mail")
	}
	if out.Len() == 0 {
		t.Error("nothing is logged at all")
	}
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, secret) {
			t.Errorf("logged: %s", line)
		}
	}
}

// TestAutomaticSenders: programs that do not say that they are programs.
func TestAutomaticSenders(t *testing.T) {
	for header, want := range map[string]bool{
		"From: bob@example.com": false, "From: mailer-daemon@example.com": true, "From: MAILER-DAEMON@example.com": true,
		"From: noreply@example.com": true, "From: no-reply@example.com": true, "From: do-not-reply@x.example": true, "From: postmaster@example.com": false,
		"From: bob@example.com\r\nPrecedence: list": true, "From: bob@example.com\r\nX-Loop: gw.example": false,
		"From: bob@example.com\r\nX-Auto-Response-Suppress: All": true,
	} {
		l := readLetter([]byte(header+"\r\nMessage-ID: <1@x>\r\n\r\nx"), "bob@example.com", today)
		if got := l.message("").Notice; got != want || l.unanswered() != want {
			t.Errorf("%q: shown as a program's %v, left unanswered %v", header, got, l.unanswered())
		}
	}
}
