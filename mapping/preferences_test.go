package mapping

import (
	"fmt"
	"sync"
	"testing"

	"gangway/core"
)

// Changes through several doors at once lose nothing of one another; one that fails changes nothing.
func TestChangePreferences(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	link(t, m, core.Account{User: alice, Network: "irc", Realm: "a.test"})
	var doors sync.WaitGroup
	for i := range 20 {
		doors.Go(func() {
			err := m.ChangePreferences(ctx, alice, "irc", func(p *core.Preferences) error {
				if p.Own == nil {
					p.Own = map[string]string{}
				}
				p.Own[fmt.Sprint("setting ", i)] = "x"
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	doors.Wait()
	refusal := core.E(core.Invalid, "test", "No.")
	err := m.ChangePreferences(ctx, alice, "irc", func(p *core.Preferences) error {
		p.Own = nil
		return refusal
	})
	wantKind(t, "refused", err, core.Invalid)
	if p, err := m.Preferences(ctx, alice, "irc"); err != nil || len(p.Own) != 20 {
		t.Errorf("%d of 20 were kept, %v", len(p.Own), err)
	}
	err = m.ChangePreferences(ctx, alice, "irc", func(p *core.Preferences) error {
		p.Own = map[string]string{}
		return nil
	})
	if err != nil || count(t, m, "preferences", "1") != 0 {
		t.Errorf("nothing chosen is kept as something: %v", err)
	}
	wantKind(t, "nobody", m.ChangePreferences(ctx, "", "irc", nil), core.Invalid)
}
