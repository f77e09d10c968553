package disco

import (
	"slices"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// holds is the transport of a network that holds what is said.
type holds struct{}

func (holds) Hold() core.Hold { return core.Hold{} }

// Behaviour 16: what is held can be corrected and taken back, and who is writing is waited for, whatever the network
// itself can do. A network that is live holds nothing.
func TestWhatIsHeldCanBeChanged16(t *testing.T) {
	window := []string{
		"http://jabber.org/protocol/chatstates", "urn:xmpp:message-correct:0", "urn:xmpp:message-retract:1",
	}
	for _, c := range []struct {
		holder  core.Holder
		lane    core.LaneKind
		session core.Session
		want    bool
	}{
		{nil, core.Stored, (*edgetest.Plain)(nil), false},
		{holds{}, core.Live, (*edgetest.Plain)(nil), false},
		{holds{}, core.Stored, (*edgetest.Plain)(nil), true},
		{nil, core.Stored, (*edgetest.Full)(nil), true},
		{holds{}, core.Stored, (*edgetest.Full)(nil), true},
	} {
		n := edgetest.Network(c.session)
		n.Driver.Lane, n.TransportCaps.Holder = c.lane, c.holder
		for _, info := range []Info{clientInfo(n, nil), accountInfo(n, "Bob", nil)} {
			for _, f := range window {
				if got := slices.Contains(info.Features, f); got != c.want {
					t.Errorf("%+v: %s: %v", c, f, got)
				}
			}
			if !slices.Equal(slices.Compact(slices.Clone(info.Features)), info.Features) {
				t.Errorf("a feature twice: %q", info.Features)
			}
		}
	}
	n := edgetest.Network((*edgetest.Plain)(nil))
	before := clientInfo(n, nil).Ver()
	n.Driver.Lane, n.TransportCaps.Holder = core.Stored, holds{}
	if clientInfo(n, nil).Ver() == before {
		t.Error("one capabilities hash for both")
	}
}
