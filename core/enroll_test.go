package core_test

import (
	"context"
	"testing"
	"testing/synctest"

	"gangway/core"
)

// realms is a network of many realms: its answers say of which the account is. Nicks add up.
type realms struct{ *fakeNet }

func (realms) Enroll(_ context.Context, _ core.UserID, current *core.Account, answers map[string]string) (core.Step, error) {
	link := &core.Account{Realm: answers["realm"]}
	if current != nil && current.Realm == link.Realm {
		link.Own = current.Own
	}
	if answers["nick"] == "" {
		return core.Step{Link: link, Fields: []core.Field{{Name: "nick", Value: string(link.Own)}}}, nil
	}
	link.Own += core.Address(answers["nick"])
	return core.Step{Done: true, Link: link}, nil
}

// TestEnrollRealm: an account that the user has in a realm is asked about and changed, and not joined by another one.
func TestEnrollRealm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		d := net.driver(core.Driver{Lane: core.Live, Implicit: true})
		d.New = func(h core.Host, _ core.Decoder) (core.Transport, error) {
			net.host = h
			return realms{net}, nil
		}
		h := newHallOf(t, net, d)
		defer h.stop()
		first, err := h.Account(t.Context(), alice.User, "fake", "one.test")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			realm string
			want  core.Address
			same  bool
		}{{"one.test", "a", true}, {"one.test", "aa", true}, {"two.test", "a", false}} {
			step, err := h.Enroll(t.Context(), alice.User, "fake", map[string]string{"realm": c.realm, "nick": "a"})
			if err != nil || step.Link.Own != c.want || (step.Link.ID == first.ID) != c.same {
				t.Errorf("%s: %+v, %v; want %q", c.realm, step.Link, err, c.want)
			}
		}
		step, err := h.Enroll(t.Context(), alice.User, "fake", map[string]string{"realm": "one.test"})
		if err != nil || len(step.Fields) != 1 || step.Fields[0].Value != "aa" {
			t.Errorf("asked again: %+v, %v", step, err)
		}
	})
}
