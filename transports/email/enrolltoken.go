package email

import (
	"context"
	"errors"
	"strconv"
	"time"

	"gangway/core"
	"gangway/transports/email/oauth"
)

// grant has the user allow access at their provider: they open a page there and type a code. The step is continued as
// often as it takes them.
func (l *linking) grant(ctx context.Context, p *oauth.Provider) (core.Step, error) {
	key := grantKey{l.user, l.own.folded()}
	g := l.t.boxes.grants.of(key)
	if g == nil {
		return core.Step{}, core.E(core.OverLimit, "email: link", "Too many people are linking mailboxes at the moment. Please try again later.")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token.Refresh == "" && g.asked == nil {
		asked, err := p.Begin(ctx)
		if err != nil {
			l.t.host.Logger().Warn("no code for a login", "provider", p.Name, "err", err)
			return l.ask(p.Title + " does not answer at the moment. Please try again later."), nil
		}
		g.asked = asked
		return l.allow(p, g, ""), nil
	}
	if g.token.Refresh == "" {
		token, err := p.Ask(ctx, g.asked, patience)
		switch {
		case errors.Is(err, oauth.ErrPending):
			return l.allow(p, g, p.Title+" says that it is not allowed yet. "), nil
		case errors.Is(err, oauth.ErrExpired):
			l.t.boxes.grants.drop(key)
			return l.ask("The code is not good any more. Please begin again."), nil
		case errors.Is(err, oauth.ErrRefused):
			l.t.boxes.grants.drop(key)
			return l.ask("Access was not allowed at " + p.Title + ", and so nothing is linked."), nil
		case err != nil:
			l.t.host.Logger().Warn("no token", "provider", p.Name, "err", err)
			return l.allow(p, g, p.Title+" does not answer at the moment. "), nil
		}
		g.token = token
	}
	l.secret = secret{Provider: p.Name, Refresh: g.token.Refresh}
	own := &tokens{
		provider: p, now: l.t.now,
		refresh: func(context.Context) (string, error) { return g.token.Refresh, nil },
		renew: func(_ context.Context, refresh string) error {
			g.token.Refresh, l.secret.Refresh = refresh, refresh
			return nil
		},
	}
	if g.token.Access != "" {
		own.use(g.token)
	}
	l.login = credentials{tokens: own}
	step, err := l.try(ctx)
	if err == nil && step.Done {
		l.t.boxes.grants.drop(key)
	}
	return step, err
}

// allow sends the user to the provider's page.
func (l *linking) allow(p *oauth.Provider, g *grant, text string) core.Step {
	page := g.asked.URL
	if g.asked.Complete != "" {
		page = g.asked.Complete
	}
	minutes := int(time.Until(g.asked.Expires).Round(time.Minute) / time.Minute)
	text += "To link " + l.own.String() + ", log in at " + p.Title + " on this page and allow it: " + page +
		"\nThe code to enter there is " + g.asked.Code + "."
	if minutes > 0 {
		text += " It is good for about " + strconv.Itoa(minutes) + " min."
	}
	return core.Step{Title: "E-mail", Text: text + " Come back here afterwards and go on.", More: true, Fields: []core.Field{
		{Name: "allowed", Label: "I have allowed it", Type: core.BoolField, Value: "true"},
	}}
}
