package core_test

import (
	"context"
	"testing"

	"gangway/core"
)

// narrow is a session of a type that can react, on a network that cannot.
type narrow struct{ core.Session }

func (*narrow) React(context.Context, *core.Reaction) error { return nil }
func (*narrow) Typing(context.Context, *core.Typing) error  { return nil }
func (n *narrow) Narrow(c *core.Caps) {
	if n != nil {
		c.Reactor = nil
	}
}

func TestCapsAreNarrowed(t *testing.T) {
	if c := core.CapsOf(&narrow{}); c.Reactor != nil || c.TypingSender == nil {
		t.Errorf("a session has %+v", c)
	}
	if c := core.CapsOf((*narrow)(nil)); c.Reactor == nil {
		t.Error("the type lacks what its sessions may have")
	}
}
