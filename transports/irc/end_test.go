package irc

import (
	"context"
	"testing"

	"gangway/core"
)

// TestStoppedBeforeItRan hands a session a private message that never runs: the gateway stops at that moment.
func TestStoppedBeforeItRan(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		ended, cancel := context.WithCancel(p.t.Context())
		cancel()
		for _, id := range []core.MessageID{"m1", "m2"} { // by the second it has run already
			m := &core.Message{Ref: core.Ref{Account: "a1", Peer: "bob"}, IDs: core.IDs{ID: id}, Origin: core.Origin{ID: "o" + string(id), From: "alice@example.test/x"}, Text: "hello"}
			if _, err := p.s.Send(p.t.Context(), m); err != nil {
				p.t.Fatal(err)
			}
			_ = p.s.Run(ended)
			r, ok := p.event().(*core.Receipt)
			if !ok || r.ID != id || r.Origin != m.Origin || r.State != core.Failed || r.Err.Text != "The gateway is stopping." {
				p.t.Errorf("event %+v", r)
			}
			p.noEvent()
			p.s.down = nil // as after a connection that ended in peace
		}
		if len(p.dialled) > 0 && p.conn != nil {
			p.t.Error("it was connected")
		}
	})
}

// TestRefusedBeforeItRan hands a session a private message when the network has just refused the account.
func TestRefusedBeforeItRan(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		ended, cancel := context.WithCancelCause(p.t.Context())
		cancel(core.E(core.Denied, "irc", "You are banned."))
		m := &core.Message{Ref: core.Ref{Account: "a1", Peer: "bob"}, IDs: core.IDs{ID: "m1"}, Origin: core.Origin{ID: "o1", From: "alice@example.test/x"}, Text: "hello"}
		if _, err := p.s.Send(p.t.Context(), m); err != nil {
			p.t.Fatal(err)
		}
		_ = p.s.Run(ended)
		if r, ok := p.event().(*core.Receipt); !ok || r.ID != "m1" || r.State != core.Failed || r.Err.Text != "You are banned." {
			p.t.Errorf("event %+v", r)
		}
		p.noEvent()
	})
}
