package disco

import (
	"reflect"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// Which reactions a network takes is announced with its correspondents, so that
// clients offer no others; the capabilities hash tells it apart.
func TestReactionRestrictions(t *testing.T) {
	rules := core.ReactionRules{Most: 1, Allowed: []string{"👍", "❤️"}}
	n := edgetest.Network((*edgetest.Full)(nil))
	free := clientInfo(n, nil)
	if len(free.Forms) != 0 {
		t.Errorf("announced without rules: %+v", free.Forms)
	}
	n.Driver.Reactions = rules
	want := []Form{{Type: "urn:xmpp:reactions:0:restrictions", Fields: []FormField{
		{Var: "max_reactions_per_user", Values: []string{"1"}},
		{Var: "allowlist", Type: "list-multi", Values: []string{"👍", "❤️"}},
	}}}
	for _, info := range []Info{clientInfo(n, nil), accountInfo(n, "Bob", nil)} {
		if !reflect.DeepEqual(info.Forms, want) {
			t.Errorf("announced as %+v", info.Forms)
		}
	}
	if clientInfo(n, nil).Ver() == free.Ver() {
		t.Error("one hash for two rules")
	}
	n = edgetest.Network((*edgetest.Plain)(nil))
	n.Driver.Reactions = rules
	if forms := clientInfo(n, nil).Forms; len(forms) != 0 {
		t.Errorf("announced without reactions: %+v", forms)
	}
}
