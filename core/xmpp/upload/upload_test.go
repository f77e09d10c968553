package upload

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/media"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

const (
	component = "email.gw"
	host      = "example.org"
)

var (
	alice = core.Account{ID: "a1", User: "alice@example.org", Network: "email"}
	photo = core.Attachment{Name: "très <cool>.jpg", Type: "image/jpeg", Size: 4711}
)

// stage is a Service over a link to a scripted host server.
type stage struct {
	t   *testing.T
	srv *xmpptest.Server
	*Service
}

func newStage(t *testing.T, as Privileged) *stage {
	t.Helper()
	srv := xmpptest.New(t)
	l := xmpptest.Start(t, srv, component, xmpp.NewRouter(xmpp.RouterConfig{}))
	s := New(Config{Host: host})
	s.Over("email", l, as)
	return &stage{t: t, srv: srv, Service: s}
}

type slotResult struct {
	slot media.Slot
	err  error
}

func (s *stage) slot() chan slotResult {
	done := make(chan slotResult, 1)
	go func() {
		slot, err := s.Slot(s.t.Context(), alice, photo)
		done <- slotResult{slot, err}
	}()
	return done
}

// discovery answers the search for a service, with a form or without.
func (s *stage) discovery(form string) {
	s.t.Helper()
	s.items(`<item jid='email.gw'/><item jid='upload.example.org'/><item jid='x.example.org' node='n'/>`)
	s.srv.ExpectAll(
		`<iq type='get' id='$host' from='email.gw' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
		`<iq type='get' id='$up' from='email.gw' to='upload.example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
	s.srv.Send(`<iq type='result' id='$host' from='example.org' to='email.gw'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='x'/></query></iq>`)
	s.srv.Send(`<iq type='result' id='$up' from='upload.example.org' to='email.gw'><query xmlns='http://jabber.org/protocol/disco#info'>` +
		`<feature var='urn:xmpp:http:upload:0'/>` + form + `</query></iq>`)
}

func (s *stage) items(items string) {
	s.t.Helper()
	for _, v := range []string{"items", "host", "up", "id"} {
		s.srv.Unset(v)
	}
	s.srv.Expect(`<iq type='get' id='$items' from='email.gw' to='example.org'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`)
	s.srv.Send(`<iq type='result' id='$items' from='example.org' to='email.gw'><query xmlns='http://jabber.org/protocol/disco#items'>` + items + `</query></iq>`)
}

const request = `<iq type='get' id='$id' from='email.gw' to='upload.example.org'>` +
	`<request xmlns='urn:xmpp:http:upload:0' filename='très &lt;cool>.jpg' size='4711' content-type='image/jpeg'/></iq>`

func (s *stage) answer(payload string) {
	s.t.Helper()
	s.srv.Unset("id")
	s.srv.Expect(request)
	s.srv.Send(`<iq type='result' id='$id' from='upload.example.org' to='email.gw'>` + payload + `</iq>`)
}

func (s *stage) refuse(typ, condition, app string) {
	s.t.Helper()
	s.srv.Unset("id")
	s.srv.Expect(request)
	s.srv.Send(`<iq type='error' id='$id' from='upload.example.org' to='email.gw'><error type='` + typ + `'><` + condition +
		` xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>` + app + `</error></iq>`)
}

const aSlot = `<slot xmlns='urn:xmpp:http:upload:0'><put url='https://up.example.org/1/x.jpg?t=1&amp;u=2'>` +
	`<header name='Authorization'>Basic xyz</header><header name='Host'>evil</header></put><get url='https://down.example.org/1/x.jpg'/></slot>`

func TestSlot(t *testing.T) {
	s := newStage(t, nil)
	got := s.slot()
	s.discovery(`<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>urn:xmpp:http:upload:0</value></field>` +
		`<field var='max-file-size'><value>5000</value></field></x>`)
	s.answer(aSlot)
	want := media.Slot{
		Put: "https://up.example.org/1/x.jpg?t=1&u=2", Get: "https://down.example.org/1/x.jpg",
		Header: map[string]string{"Authorization": "Basic xyz", "Host": "evil"}, // media chooses
	}
	if r := <-got; r.err != nil || !reflect.DeepEqual(r.slot, want) {
		t.Fatalf("%+v", r)
	}
	// The service is known now, and its limit too.
	got = s.slot()
	s.answer(aSlot)
	if r := <-got; r.err != nil {
		t.Fatal(r.err)
	}
	big := photo
	big.Size = 5001
	if _, err := s.Slot(t.Context(), alice, big); core.KindOf(err) != core.TooLarge {
		t.Errorf("5001 bytes: %v", err)
	}
	if jid, err := s.Find(t.Context()); jid != "upload.example.org" || err != nil {
		t.Errorf("Find = %q, %v", jid, err)
	}
}

func TestRefusals(t *testing.T) {
	s := newStage(t, nil)
	got := s.slot()
	s.discovery("")
	s.answer(`<slot xmlns='urn:xmpp:http:upload:0'><get url='https://x.example/'/></slot>`)
	if r := <-got; core.KindOf(r.err) != core.Unavailable {
		t.Errorf("half a slot: %v", r.err)
	}
	for _, c := range []struct {
		typ, condition, app string
		want                core.Kind
		gone                bool
	}{
		{"modify", "not-acceptable", `<file-too-large xmlns='urn:xmpp:http:upload:0'><max-file-size>1</max-file-size></file-too-large>`, core.TooLarge, false},
		{"wait", "resource-constraint", `<retry xmlns='urn:xmpp:http:upload:0' stamp='2030-01-01T00:00:00Z'/>`, core.OverLimit, false},
		{"wait", "internal-server-error", "", core.Unavailable, false},
		{"cancel", "not-allowed", "", core.Denied, false},
		{"auth", "forbidden", "", core.Denied, false},
		{"cancel", "service-unavailable", "", core.Unavailable, true},
		{"cancel", "remote-server-not-found", "", core.Unavailable, true},
	} {
		got := s.slot()
		s.refuse(c.typ, c.condition, c.app)
		if r := <-got; core.KindOf(r.err) != c.want {
			t.Errorf("%s: %v, want %v", c.condition, r.err, c.want)
		}
		if c.gone { // it is looked for again
			got := s.slot()
			s.discovery("")
			s.answer(aSlot)
			if r := <-got; r.err != nil {
				t.Error(r.err)
			}
		}
	}
}

func TestNoService(t *testing.T) {
	s := newStage(t, nil)
	now := time.Now()
	s.now = func() time.Time { return now }
	got := s.slot()
	s.items(`<item jid='rooms.example.org'/>`)
	s.srv.ExpectAll(
		`<iq type='get' id='$host' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
		`<iq type='get' id='$up' to='rooms.example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
	s.srv.Send(`<iq type='error' id='$host' from='example.org' to='email.gw'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
	s.srv.Send(`<iq type='result' id='$up' from='rooms.example.org' to='email.gw'/>`)
	if r := <-got; core.KindOf(r.err) != core.Unsupported {
		t.Errorf("%v", r.err)
	}
	if _, err := s.Find(t.Context()); core.KindOf(err) != core.Unsupported { // nobody is asked: it was just looked
		t.Errorf("%v", err)
	}
	now = now.Add(keepNone)
	got = s.slot()
	s.discovery("")
	s.answer(aSlot)
	if r := <-got; r.err != nil {
		t.Error(r.err)
	}
	if _, err := New(Config{}).Find(t.Context()); core.KindOf(err) != core.Unsupported {
		t.Errorf("without a host: %v", err)
	}
}

func TestHostServerAway(t *testing.T) {
	s := newStage(t, nil)
	s.srv.Cut(component)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Slot(ctx, alice, photo); core.KindOf(err) != core.Unavailable {
		t.Errorf("%v", err)
	}
	if !s.found.until.IsZero() {
		t.Error("a caller who left has decided what others find")
	}
}

// privileged plays the host server that lets us speak for users.
type privileged struct {
	may  bool
	err  error
	xml  string
	user core.UserID
	to   string
}

func (p *privileged) MayIQ(_ core.UserID, ns, typ string) bool {
	return p.may && ns == NS && typ == "get"
}

func (p *privileged) IQ(_ context.Context, user core.UserID, to, _, _ string, _ func(*stream.Encoder)) (*stream.Stanza, error) {
	p.user, p.to = user, to
	if p.err != nil {
		return nil, p.err
	}
	return stream.Parse(p.xml)
}

func TestSlotInTheUsersName(t *testing.T) {
	p := &privileged{may: true, xml: `<iq type='result'>` + aSlot + `</iq>`}
	s := newStage(t, p)
	got := s.slot()
	s.discovery("")
	if r := <-got; r.err != nil || r.slot.Get != "https://down.example.org/1/x.jpg" || p.user != alice.User || p.to != "upload.example.org" {
		t.Fatalf("%+v as %+v", r, p)
	}
	p.err = errors.New("not granted after all")
	got = s.slot()
	s.answer(aSlot)
	if r := <-got; r.err != nil {
		t.Error(r.err)
	}
	p.may, p.user = false, ""
	got = s.slot()
	s.answer(aSlot)
	if r := <-got; r.err != nil || p.user != "" {
		t.Errorf("%+v, asked as %q", r, p.user)
	}
}
