//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

// readmeDomain is the server in the README.
const readmeDomain = "example.org"

// TestReadme starts both XMPP servers with what the README says to put into their configuration, only the port being
// another, and lets in the components of its gangway.toml.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(text)
	components := readmeComponents(t, readme)
	t.Run("prosody", func(t *testing.T) {
		port, snippet := movedPort(t, block(t, readme, "Prosody:", "lua"))
		conf := readmeHost(t, port)
		conf.Extra = snippet
		readmeWorks(t, serverstest.Start(t, servers.NewProsody, conf), components)
	})
	t.Run("ejabberd", func(t *testing.T) {
		port, snippet := movedPort(t, block(t, readme, "ejabberd:", "yaml"))
		s, err := servers.NewEjabberd(readmeHost(t, port))
		if err != nil {
			t.Fatal(err)
		}
		addToYAML(t, s.ConfigFile(), snippet)
		readmeWorks(t, serverstest.Start(t, func(servers.HostConfig) (*servers.Ejabberd, error) { return s, nil }, servers.HostConfig{}), components)
	})
}

func readmeHost(t *testing.T, port int) servers.HostConfig {
	return servers.HostConfig{
		Dir: serverstest.Dir(t), Domain: readmeDomain, ComponentPort: port,
		Users: []servers.User{{Name: world.Alice, Password: world.Password}},
	}
}

// block is the first code block of that language after a text.
func block(t *testing.T, readme, after, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(readme, after)
	_, rest, opened := strings.Cut(rest, "```"+language+"\n")
	code, _, closed := strings.Cut(rest, "```")
	if !found || !opened || !closed {
		t.Fatalf("the README has no %s block after %q", language, after)
	}
	return code
}

// movedPort gives the snippet a free port in the place of the README's.
func movedPort(t *testing.T, snippet string) (port int, moved string) {
	t.Helper()
	addr, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(addr, "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(snippet, "5347") {
		t.Fatalf("no port 5347 in:\n%s", snippet)
	}
	return port, strings.ReplaceAll(snippet, "5347", fmt.Sprint(port))
}

// readmeComponents are the domains and secrets in the README's gangway.toml.
func readmeComponents(t *testing.T, readme string) map[string]string {
	t.Helper()
	toml := block(t, readme, "/etc/gangway/gangway.toml", "toml")
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`domain = "([^"]+)"\nsecret = "([^"]+)"`).FindAllStringSubmatch(toml, -1) {
		all[m[1]] = m[2]
	}
	if len(all) != 3 {
		t.Fatalf("components in the README: %v", all)
	}
	return all
}

// addToYAML puts each section of a snippet into the section of the same name, as a person would.
func addToYAML(t *testing.T, file, snippet string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	config := string(text)
	var key string
	sections := map[string]string{}
	var order []string
	for line := range strings.Lines(snippet) {
		if !strings.HasPrefix(line, " ") && strings.TrimSpace(line) != "" {
			key = line
			order = append(order, key)
			continue
		}
		sections[key] += line
	}
	for _, key := range order {
		if strings.Contains(config, "\n"+key) {
			config = strings.Replace(config, "\n"+key, "\n"+key+sections[key], 1)
			continue
		}
		config += key + sections[key]
	}
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil { // its owner stays
		t.Fatal(err)
	}
}

// readmeWorks: every component is let in and told its privileges, and clients find it.
func readmeWorks(t *testing.T, host servers.Host, components map[string]string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	alice := reader(ctx, t, host)
	defer alice.Close()
	for domain, secret := range components {
		told := make(chan string, 10)
		router := xmpp.NewRouter(xmpp.RouterConfig{})
		router.Message(xmpp.HandlerFunc(func(_ context.Context, _ xmpp.Sender, st *stream.Stanza) error {
			for c := range st.Children() {
				if c.Local() == "privilege" {
					told <- c.Space()
				}
			}
			return nil
		}))
		link := newLink(ctx, t, host, domain, func(c *xmpp.Config) { c.Secret, c.Router = secret, router })
		if err := link.Ready(ctx); err != nil {
			t.Fatalf("%s: %v", domain, err)
		}
		select {
		case ns := <-told:
			t.Log(domain, ns)
		case <-ctx.Done():
			t.Fatalf("%s is not told any privileges", domain)
		}
	}
	st, err := alice.IQ(ctx, readmeDomain, "get", "<query xmlns='"+nsItems+"'/>")
	if err != nil {
		t.Fatal(err)
	}
	for domain := range components {
		if !slices.ContainsFunc(st.Child(nsItems, "query").All(nsItems, "item"), func(e *client.Element) bool { return e.Attr("jid") == domain }) {
			t.Errorf("%s is not listed: %s", domain, st.Raw)
		}
	}
}
