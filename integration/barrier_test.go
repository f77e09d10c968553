//go:build integration

package integration

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

// TestBarrier: what the pong of a barrier confirms, the host server has on disk: it is killed right at the pong, and
// the messages to somebody offline are there after the restart. Behaviour 49.
func TestBarrier(t *testing.T) {
	t.Parallel()
	const domain = world.SMS
	conf := servers.HostConfig{
		Domain: world.Domain, Users: []servers.User{{Name: world.Alice, Password: world.Password}},
		Components: []servers.Component{{Domain: domain, Secret: world.Password}},
	}
	archived := conf
	archived.Archive = true
	for _, c := range []struct {
		name   string
		rounds int
		conf   servers.HostConfig
		start  func(*testing.T, servers.HostConfig) servers.Host
		// late is how long the server's own store takes to write: Mnesia, which is ejabberd's default, 2 to 3 seconds.
		late time.Duration
	}{
		{"prosody files", 3, conf, prosodyHost, 0},
		{"prosody sql", 3, archived, prosodyHost, 0},
		{"ejabberd sql", 3, archived, ejabberdHost, 0},
		{"ejabberd mnesia", 1, conf, ejabberdHost, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.conf.Dir = serverstest.Dir(t)
			barrier(t, c.start(t, c.conf), domain, c.rounds, c.late)
		})
	}
}

func prosodyHost(t *testing.T, c servers.HostConfig) servers.Host {
	return serverstest.Start(t, servers.NewProsody, c)
}

func ejabberdHost(t *testing.T, c servers.HostConfig) servers.Host {
	return serverstest.Start(t, servers.NewEjabberd, c)
}

func barrier(t *testing.T, host servers.Host, domain string, rounds int, late time.Duration) {
	const n = 50
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	link := newLink(ctx, t, host, domain)
	for round := range rounds {
		confirmed(ctx, t, link, domain, round, n)
		if late > 0 {
			select {
			case <-time.After(late):
			case <-ctx.Done():
			}
		}
		if err := host.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := host.Start(ctx); err != nil {
			t.Fatal(err)
		}
		alice := reader(ctx, t, host)
		for i := range n {
			wait(ctx, t, alice, "a confirmed message", client.MessageFrom("peer@"+domain, fmt.Sprint(round, " ", i)))
		}
		if err := alice.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// reader logs in as soon as the server lets it: right after its start it may not know its users yet.
func reader(ctx context.Context, t *testing.T, host servers.Host) *client.Client {
	t.Helper()
	alice, err := retry(ctx, func() (*client.Client, error) {
		return client.Dial(ctx, host.Addr(), world.Alice+"@"+host.Domain()+"/phone", world.Password)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.Online(ctx); err != nil {
		t.Fatal(err)
	}
	return alice
}

// newLink is a component link as the program has it, up until the test ends.
func newLink(ctx context.Context, t *testing.T, host servers.Host, domain string, opts ...func(*xmpp.Config)) *xmpp.Link {
	t.Helper()
	conf := xmpp.Config{
		Server: host.ComponentAddr(), Domain: domain, Secret: world.Password, HostDomain: host.Domain(),
		Router: xmpp.NewRouter(xmpp.RouterConfig{}), Logger: slog.New(slog.DiscardHandler),
	}
	for _, o := range opts {
		o(&conf)
	}
	link, err := xmpp.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- link.Run(run) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return link
}

// confirmed sends n messages to alice, who is away, and returns when their barrier has been answered.
func confirmed(ctx context.Context, t *testing.T, link *xmpp.Link, domain string, round, n int) {
	t.Helper()
	if err := link.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	var last xmpp.Batch
	for i := range n {
		var err error
		last, err = link.Send(func(e *stream.Encoder) {
			e.Start("message", "", "type", "chat", "from", "peer@"+domain, "to", world.Alice+"@"+world.Domain, "id", fmt.Sprint(round, "-", i))
			e.Leaf("body", "", fmt.Sprint(round, " ", i))
			e.End()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := link.Confirm(ctx, last); err != nil {
		t.Fatal(err)
	}
}
