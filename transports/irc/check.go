package irc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gangway/core"
	"gangway/transports/irc/wire"
)

const checkWithin = 30 * time.Second

// Check registers with every configured network as a user would, under a nick of its own, says what it found, and
// quits.
func (t *transport) Check(ctx context.Context) []core.Finding {
	names := slices.Sorted(maps.Keys(t.networks))
	findings := make([]core.Finding, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { findings[i] = t.checkNetwork(ctx, t.networks[name]) })
	}
	wg.Wait()
	return findings
}

func (t *transport) checkNetwork(ctx context.Context, n *network) core.Finding {
	f := core.Finding{Name: n.name}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	p := &probe{stop: cancel}
	quiet := *t
	quiet.host, quiet.log = p, slog.New(slog.DiscardHandler)
	quiet.identity = &identity{words: t.identity.words, prefix: t.identity.prefix} // with a key of its own, which is not kept
	p.session = newSession(&quiet, n, core.Account{Options: map[string]string{"nick": "gangway" + strconv.Itoa(rand.IntN(10_000))}}, credentials{})
	err := p.session.Run(ctx)
	switch {
	case p.found != "":
		f.Text = p.found
	case err != nil:
		f.Err = errors.New(core.AsError(err).Sentence())
		f.Text = advice(err)
	default:
		f.Err = fmt.Errorf("no answer within %v", checkWithin)
		f.Text = "Look at the network's address in the configuration."
	}
	return f
}

// advice is the next step after a failure.
func advice(err error) string {
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return "If the network has an authority of its own, name its file as \"ca\". (" + cert.Err.Error() + ")"
	case core.KindOf(err) == core.Denied:
		return "Look at the network's password in the configuration, or ask the network."
	}
	if cause := errors.Unwrap(core.AsError(err)); cause != nil {
		return "Look at the network's address in the configuration. (" + cause.Error() + ")"
	}
	return "Look at the network's address in the configuration."
}

// probe is the host of a session that is only there to look.
type probe struct {
	core.Host // nil: a session uses no more of its host than what follows
	session   *session
	stop      context.CancelFunc
	found     string
}

// Deliver waits for the session to be connected and notes how.
func (p *probe) Deliver(_ context.Context, e core.Event) error {
	if st, ok := e.(*core.Status); !ok || st.Link != core.Connected {
		return nil
	}
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	if l := p.session.link; l != nil {
		p.found = l.describe()
	}
	p.stop()
	return nil
}

// describe says what a network can do, as far as it matters to users.
func (l *link) describe() string {
	parts := []string{secured(l)}
	if mechanisms, ok := l.offers["sasl"]; ok {
		parts = append(parts, "log in with "+firstOf(strings.ReplaceAll(wire.Bare(mechanisms), ",", ", "), "a password"))
	} else {
		parts = append(parts, "no log in (SASL)")
	}
	if l.caps&capEcho == 0 {
		parts = append(parts, "what is said is not shown back (no echo-message)")
	}
	switch {
	case l.caps&capHistory == 0:
		parts = append(parts, "no history")
	case l.support.History > 0:
		parts = append(parts, "history of "+strconv.Itoa(l.support.History)+" messages at a time")
	default:
		parts = append(parts, "history")
	}
	return strings.Join(append(parts, "capabilities: "+firstOf(l.caps.String(), "none")), "; ")
}

// Notes are none: a look leaves no trace.
func (p *probe) Notes() core.Notes { return noNotes{} }

type noNotes struct{}

func (noNotes) Put(context.Context, string, []byte, time.Duration) error { return nil }
func (noNotes) Delete(context.Context, string) error                     { return nil }
func (noNotes) Get(context.Context, string) ([]byte, error) {
	return nil, core.E(core.NotFound, "irc: check", "")
}

// secured says how a connection is protected.
func secured(l *link) string {
	if c, ok := l.conn.(*tls.Conn); ok {
		return tls.VersionName(c.ConnectionState().Version) + ", certificate verified"
	}
	return "connected without TLS"
}
