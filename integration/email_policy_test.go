//go:build integration

package integration

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"gangway/core/xmpp/stream"
	"gangway/integration/servers"
)

// The domains that publish a policy (RFC 8461). Their mail is at Exim, whose certificate is for mx.exim.test.
const (
	enforcing = "enforcing.test" // as it should be
	impostor  = "impostor.test"  // the certificate of its server is another's
	unlisted  = "unlisted.test"  // the policy names another server
	tested    = "testing.test"   // both, and the policy is only tested
)

// policySite is the web server of those domains.
type policySite struct {
	mu       sync.Mutex
	policies map[string]string // by domain
}

func policyText(mode, mx string) string {
	return "version: STSv1\r\nmode: " + mode + "\r\nmx: " + mx + "\r\nmax_age: 86400\r\n"
}

// openPolicySite publishes the policies, in the DNS and by HTTPS.
func openPolicySite(t *testing.T, ca *servers.CA, names *servers.DNS) *policySite {
	t.Helper()
	p := &policySite{policies: map[string]string{
		enforcing: policyText("enforce", "*.exim.test"),
		impostor:  policyText("enforce", "mx.impostor.test\r\nmx: mx.exim.test"),
		unlisted:  policyText("enforce", "mx.unlisted.test"),
		tested:    policyText("testing", "mx.unlisted.test"),
	}}
	l := listenWeb(t)
	host, _, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	records := []string{"mx.impostor.test. 60 IN A 127.0.0.1"}
	var webs []string
	for domain := range p.policies {
		mx := "mx.exim.test."
		if domain == impostor || domain == tested {
			mx = "mx.impostor.test."
		}
		webs = append(webs, "mta-sts."+domain)
		records = append(records, domain+". 60 IN MX 10 "+mx, "mta-sts."+domain+". 60 IN A "+host, policyRecord(domain, 1))
	}
	if err := names.Add(records...); err != nil {
		t.Fatal(err)
	}
	cert, key, err := ca.Issue(webs...)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	site := &http.Server{Handler: p, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}} //nolint:gosec // for a test
	var serving sync.WaitGroup
	serving.Go(func() { _ = site.ServeTLS(l, "", "") }) // an error is its end
	t.Cleanup(func() {
		_ = site.Close()
		serving.Wait()
	})
	return p
}

// listenWeb listens where web servers are looked for, at a loopback address of its own.
func listenWeb(t *testing.T) net.Listener {
	t.Helper()
	var errs []error
	for range 20 {
		//nolint:gosec // no secret
		addr := fmt.Sprintf("127.%d.%d.%d:443", 64+rand.IntN(128), rand.IntN(256), 1+rand.IntN(254))
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", addr)
		if err == nil {
			return l
		}
		errs = append(errs, err)
	}
	t.Fatal(errors.Join(errs...))
	return nil
}

func policyRecord(domain string, id int) string {
	return fmt.Sprintf(`_mta-sts.%s. 60 IN TXT "v=STSv1; id=%d;"`, domain, id)
}

func (p *policySite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, ok := p.policies[strings.TrimPrefix(r.Host, "mta-sts.")]
	if !ok || r.URL.Path != "/.well-known/mta-sts.txt" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = fmt.Fprint(w, text) // who asked has gone
}

// publish changes the policy of a domain.
func (p *policySite) publish(domain, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.policies[domain] = text
}

// waitingMail is a mail that the program tries again.
type waitingMail struct {
	Seq      int64
	Attempts int
	Error    string
}

// gangwayCLI is the command line, beside the program.
func (s *mailStage) gangwayCLI(args ...string) (string, error) {
	out, err := exec.CommandContext(s.ctx, binary, append(args, "-c", s.config)...).CombinedOutput()
	return string(out), err
}

// waiting waits until so many mails of the scenario's user have been tried in vain.
func (s *mailStage) waiting(n int) []waitingMail {
	s.Helper()
	var rows []waitingMail
	until(s.ctx, s.T, fmt.Sprint(n, " mails that wait"), func() (bool, string) {
		out, err := s.gangwayCLI("queue", "list", "--json", "--user", s.Var("alice"))
		rows = nil
		if err = errors.Join(err, json.Unmarshal([]byte(out), &rows)); err != nil {
			return false, fmt.Sprint(out, err)
		}
		tried := 0
		for _, r := range rows {
			if r.Attempts > 0 && r.Error != "" {
				tried++
			}
		}
		return tried == n && len(rows) == n, out
	})
	return rows
}

// gangwaySaid looks for a line of the program's log in which all these stand.
func (s *mailStage) gangwaySaid(words ...string) {
	s.Helper()
	log, err := os.ReadFile(s.gangway.Logs()[0])
	if err != nil {
		s.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if containsAll(line, words) {
			return
		}
	}
	s.Errorf("the log has no line with %q", words)
}

// notDelivered checks that somebody at Exim has no mail with a text in it.
func (s *mailStage) notDelivered(name, text string) {
	s.Helper()
	all, err := s.exim.Messages(name)
	if err != nil {
		s.Fatal(err)
	}
	for _, raw := range all {
		if strings.Contains(string(raw), text) {
			s.Errorf("delivered, in spite of a policy:\n%s", raw)
		}
	}
}

// deliveredAll waits for receipts, in any order.
func (s *mailStage) deliveredAll(ids ...string) {
	s.Helper()
	missing := map[string]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	for len(missing) > 0 {
		st := s.await(fmt.Sprintf("a receipt of %v", ids), func(st *stream.Stanza) bool {
			return st.Type == "error" || st.Child("urn:xmpp:receipts", "received").Attr("id") != ""
		})
		if st.Type == "error" {
			s.Fatalf("an error in the place of a receipt: %v", st)
		}
		delete(missing, st.Child("urn:xmpp:receipts", "received").Attr("id"))
	}
}

// Section 3.8: what a domain's policy asks for is kept to, and a mail that cannot be brought like that waits until the
// domain has mended it.
func heedsPolicies(s *mailStage) {
	text := func(domain string) string { return "by the policy of " + domain + ", " + s.Var("alias") }
	for _, domain := range []string{impostor, unlisted, tested, enforcing} {
		s.says("bob@"+domain, domain, "<body>"+text(domain)+"</body>")
	}
	s.deliveredAll(enforcing, tested)
	s.mailTo("bob", text(enforcing))
	s.mailTo("bob", text(tested))
	s.gangwaySaid("mail handed over", "mta=mx.exim.test", `tls="TLS 1.3"`, `policy="mta-sts enforce"`)
	s.gangwaySaid("mail handed over", "mta=mx.impostor.test", `policy="mta-sts testing"`)
	rows := s.waiting(2)
	for _, want := range []string{"not mx.impostor.test", "not a server that the domain's policy names"} {
		if !strings.Contains(rows[0].Error+rows[1].Error, want) {
			s.Errorf("nothing failed with %q: %+v", want, rows)
		}
	}
	s.notDelivered("bob", text(impostor))
	s.notDelivered("bob", text(unlisted))

	s.policies.publish(unlisted, policyText("enforce", "mx.exim.test"))
	if err := s.names.Set(impostor+". 60 IN MX 10 mx.exim.test.", policyRecord(unlisted, 2)); err != nil {
		s.Fatal(err)
	}
	for _, r := range rows { // their turn is in a minute
		if out, err := s.gangwayCLI("queue", "retry", fmt.Sprint(r.Seq)); err != nil && !strings.Contains(out, "no such message") {
			s.Fatalf("%v: %s", err, out)
		}
	}
	s.deliveredAll(impostor, unlisted)
	s.mailTo("bob", text(impostor))
	s.mailTo("bob", text(unlisted))
}

// Section 3.1: straight to the mail server of a domain.
func sendsStraight(s *mailStage) {
	text := "straight from " + s.Var("alias")
	s.says(s.peer("carol"), "m1", "<body>"+text+" — ✓</body>")
	s.wellFormed(s.mailTo("carol", text))
	s.delivered("m1")
}

// Section 3.13: to an address beyond ASCII a server without SMTPUTF8 cannot deliver: that is said at once, as what it is.
func refusesInternationalAddress(s *mailStage) {
	s.says(s.peer("jürgen"), "u1", "<body>grüß dich</body>")
	condition, text := s.failed("u1")
	if want := "The mail server of grey.test cannot take mail for an address with letters beyond a to z."; condition != "not-acceptable" || text != want {
		s.Errorf("%s: %q, want %q", condition, text, want)
	}
}
