//go:build integration

package integration

import (
	"slices"

	"gangway/integration/world"
)

func cardScenarios() []scenario {
	return []scenario{{"slixmpp fetches a card", cardFetched}}
}

// cardFetched: the network's own words about somebody, as an independent client reads them.
func cardFetched(s *stage) {
	p := s.newPerson()
	if _, err := world.Register(s.ctx, p.Client, world.Loop, p.name); err != nil {
		s.Fatal(err)
	}
	out := p.slixmpp(step{"step": "card", "jid": "echo@" + world.Loop})
	if out[0].text("name") != "Echo" || !slices.Contains(out[0].list("text"), "Says what it is told.") {
		s.Errorf("the card: %v", out[0])
	}
}
