//go:build integration

package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

// TestIRCCheck has `gangway check` look at real networks, and at the same ones by addresses that are wrong in one way each.
func TestIRCCheck(t *testing.T) {
	t.Parallel()
	inspircd := serverstest.Start(t, servers.NewInspircd, servers.IRCConfig{Dir: serverstest.Dir(t), Unlimited: true})
	ngircd := serverstest.Start(t, servers.NewNgircd, servers.IRCConfig{Dir: serverstest.Dir(t), Unlimited: true})
	ca, err := inspircd.CAFile()
	if err != nil {
		t.Fatal(err)
	}
	other, err := ngircd.CAFile()
	if err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	dir := serverstest.Dir(t)
	text := "[xmpp]\nserver = \"127.0.0.1:1\"\ndomain = \"example.org\"\n[store]\nurl = \"sqlite:gangway.db\"\n[access]\nallow = [\"*@example.org\"]\n" +
		"[transport.irc]\ndomain = \"irc.example.org\"\nsecret = \"s3cret\"\n"
	for _, n := range [][3]string{
		{"good.test", "ircs://" + inspircd.TLSAddr(), ca}, {"plain.test", "irc://" + ngircd.Addr(), ""}, {"stranger.test", "ircs://" + inspircd.TLSAddr(), other},
		{"closed.test", "ircs://" + closed.Addr().String(), ca}, {"mixed.test", "ircs://" + ngircd.Addr(), other},
	} {
		text += fmt.Sprintf("[transport.irc.network.%q]\naddress = %q\n", n[0], n[1])
		if n[2] != "" {
			text += fmt.Sprintf("ca = %q\n", n[2])
		}
	}
	conf := filepath.Join(dir, "gangway.toml")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := exec.CommandContext(t.Context(), binary, "check", "-c", conf).CombinedOutput()
	out := string(b)
	if err == nil {
		t.Error("the exit status says that all is well")
	}
	for _, line := range []string{
		`ok    irc good\.test connect +\S+ by IPv4 in `,
		`(ok|warn)  +irc good\.test tls +(the certificate ends soon: )?TLS 1\.3, the certificate of localhost, irc\.test.*verified by the "ca"`, // it lasts a day
		`ok    irc good\.test register +let in as gangway\d+ by irc\.test after`,
		`ok    irc good\.test echo-message +yes: `,
		`ok    irc good\.test labeled-response +yes: `,
		`ok    irc good\.test history +none: `,
		`ok    irc good\.test limits +nicks of \d+ letters .* lines of 512 bytes .*CASEMAPPING`,
		`ok    irc good\.test offers +.*who is away.*message-tags`,
		`ok    irc plain\.test tls +without TLS`,
		`ok    irc plain\.test register +let in`,
		`ok    irc plain\.test echo-message +no: `,
		`ok    irc plain\.test offers +.*multi-prefix`,
		`FAIL  irc stranger\.test tls +The certificate of stranger\.test cannot be verified`,
		`FAIL  irc closed\.test connect +The IRC server closed\.test cannot be reached`,
		`-> Nothing listens at 127\.0\.0\.1:\d+\. Look at the network's address`,
		`FAIL  irc mixed\.test tls +`,
	} {
		if !regexp.MustCompile(`(?m)^\s*` + line).MatchString(out) {
			t.Errorf("no line is like %s", line)
		}
	}
	for _, good := range []string{"FAIL  irc good.test", "FAIL  irc plain.test"} {
		if strings.Contains(out, good) {
			t.Errorf("%s", good)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}
