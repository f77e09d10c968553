package xmpptest

import (
	"context"
	"sync"
	"testing"

	"gangway/core/xmpp"
)

// Start runs a link for domain against srv until the test ends, and returns it
// when it is online. change, if given, may alter its configuration first.
func Start(t testing.TB, srv *Server, domain string, r *xmpp.Router, change ...func(*xmpp.Config)) *xmpp.Link {
	t.Helper()
	link, _ := Run(t, srv, domain, r, change...)
	if err := link.Ready(t.Context()); err != nil {
		t.Fatalf("xmpptest: link: %v", err)
	}
	return link
}

// Run is Start without the waiting. stop ends the link politely, waits for that,
// and returns what Run returned; the end of the test does so otherwise.
func Run(t testing.TB, srv *Server, domain string, r *xmpp.Router, change ...func(*xmpp.Config)) (link *xmpp.Link, stop func() error) {
	t.Helper()
	cfg := xmpp.Config{Domain: domain, Secret: Secret, HostDomain: Host, Router: r}
	for _, fn := range change {
		fn(&cfg)
	}
	if cfg.Server == "" {
		if cfg.Dial == nil {
			cfg.Server = srv.Addr()
		} else {
			cfg.Server = "pipe:0"
		}
	}
	link, err := xmpp.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- link.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("link: %v", err)
		}
	})
	return link, stop
}
