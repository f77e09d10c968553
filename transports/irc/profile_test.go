package irc

import (
	"testing"

	"gangway/core"
)

// TestRealNames are looked up where somebody's client asks, and told again when they change (setname).
func TestRealNames(t *testing.T) {
	for name, c := range map[string]struct {
		caps   string
		answer func(p *play)
		want   string
		kind   core.Kind
	}{
		"labelled": {"message-tags batch labeled-response setname", func(p *play) {
			p.expect("@label=1 WHOIS bob")
			p.send("@label=1 :irc.test BATCH +w labeled-response", "@batch=w :irc.test 311 alice Bob b b.test * :\x02Bruce\x02 Wayne",
				"@batch=w :irc.test 318 alice Bob :End", ":irc.test BATCH -w")
		}, "*Bruce* Wayne", 0},
		"plain": {"away-notify setname", func(p *play) {
			p.expect("WHOIS bob")
			p.send(":irc.test 311 alice Bob b b.test * :Bruce", ":irc.test 318 alice Bob :End")
			p.barrier(1)
		}, "Bruce", 0},
		"nobody": {"away-notify setname", func(p *play) {
			p.expect("WHOIS bob")
			p.send(":irc.test 401 alice bob :No such nick", ":irc.test 318 alice bob :End")
		}, "", core.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			script(t, quickConfig, core.Account{}, func(p *play) {
				p.run()
				p.registerWith(c.caps)
				answered := make(chan error, 1)
				var got *core.Profile
				go func() {
					var err error
					got, err = p.s.Profile(p.t.Context(), "bob")
					answered <- err
				}()
				c.answer(p)
				if err := <-answered; err != nil || c.want == "" {
					if c.want != "" || core.KindOf(err) != c.kind {
						t.Fatal(err)
					}
					return
				}
				if got.Name != c.want || got.Peer != "bob" {
					t.Errorf("%+v", got)
				}
				p.send(":BOB!b@b.test SETNAME :Bruce Wayne <bruce@wayne.enterprises>", ":carol!c@c SETNAME :nobody asked", ":alice!a@b SETNAME :oneself")
				if e := next[*core.Profile](p); e.Peer != "bob" || e.Name != "Bruce Wayne <bruce@wayne.enterprises>" {
					t.Errorf("%+v", e)
				}
				p.noEvent()
			})
		})
	}
}

func TestNoProfile(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		if _, err := p.s.Profile(p.t.Context(), "#chan"); core.KindOf(err) != core.Invalid {
			t.Error(err)
		}
		if _, err := p.s.Profile(p.t.Context(), "bob"); core.KindOf(err) != core.Unavailable {
			t.Error(err)
		}
	})
}
