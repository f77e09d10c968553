package mam

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/archive"
	"gangway/core/store"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

const (
	room    = "#c%net@irc.gw"
	phone   = "alice@example.org/phone"
	stanzas = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
	set     = "xmlns='http://jabber.org/protocol/rsm'"
)

var (
	ref  = core.Ref{Account: "a1", Peer: "#c"}
	noon = time.Now().UTC().Add(-time.Hour).Truncate(time.Minute)
)

// writer shows messages as a room does; a text of "unseen" is nothing that could be shown.
type writer struct{}

func (writer) WriteArchived(enc *stream.Encoder, _ *edge.Domain, _ core.Account, e core.Archived) error {
	m, ok := e.Event.(*core.Message)
	if !ok || m.Text == "unseen" {
		return nil
	}
	enc.Start("message", "", "from", room+"/"+string(m.Author), "type", "groupchat", "id", "s-"+string(m.ID))
	enc.Leaf("body", "", m.Text)
	enc.Empty("delay", NSDelay, "stamp", "long ago")
	enc.Empty("stanza-id", "urn:xmpp:sid:0", "by", room, "id", string(m.ID))
	enc.End()
	return nil
}

// stage is a host server, a domain of rooms and its history.
type stage struct {
	*xmpptest.Server
	t    *testing.T
	kept *archive.Archive
}

// large is the stage's archive, which does not count.
type large struct{ *archive.Archive }

func (l large) Page(ctx context.Context, room core.Ref, q archive.Query) (archive.Result, error) {
	p, err := l.Archive.Page(ctx, room, q)
	p.Count = -1
	return p, err
}

func open(t *testing.T) *stage {
	t.Helper()
	return openOn(t, func(a *archive.Archive) Archive { return a })
}

// openOn opens a stage whose handler sees its archive as something else.
func openOn(t *testing.T, as func(*archive.Archive) Archive) *stage {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &stage{t: t, Server: xmpptest.New(t)}
	if s.kept, err = archive.Open(t.Context(), db, archive.Config{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.kept.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	d := &edge.Domain{Name: "irc.gw", Network: edgetest.Network((*edgetest.Full)(nil))}
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	New(Config{Domain: d, Gateway: &edgetest.Hall{}, Archive: as(s.kept), Rooms: writer{}}).Register(router)
	d.Link = xmpptest.Start(t, s.Server, d.Name, router)
	return s
}

// add keeps what is said in the room by dave and eve in turn, one thing a minute from noon on.
func (s *stage) add(texts ...string) {
	s.t.Helper()
	for i, text := range texts {
		m := &core.Message{
			Ref: ref, IDs: core.IDs{ID: core.MessageID(fmt.Sprint("m", i+1))}, Room: true,
			Author: core.Address([]string{"dave", "eve"}[i%2]), Text: text, At: noon.Add(time.Duration(i) * time.Minute),
		}
		if err := s.kept.Append(context.Background(), core.Archived{Event: m}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *stage) ten() { s.add("t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10") }

func at(i int) string { return noon.Add(time.Duration(i-1) * time.Minute).Format(time.RFC3339) }

// form is a query's, with fields and values in turn.
func fields(pairs ...string) string {
	s := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + NS + "</value></field>"
	for i := 0; i < len(pairs); i += 2 {
		s += "<field var='" + pairs[i] + "'>"
		for v := range strings.FieldsSeq(pairs[i+1]) {
			s += "<value>" + v + "</value>"
		}
		s += "</field>"
	}
	return s + "</x>"
}

func rsm(inside string) string { return "<set " + set + ">" + inside + "</set>" }

func (s *stage) ask(inside string) {
	s.Send("<iq type='set' id='q' from='" + phone + "' to='" + room + "'><query xmlns='" + NS + "' queryid='f1'>" + inside + "</query></iq>")
}

// results reads what comes until the end of a query, and says it in short.
func (s *stage) results() string {
	s.t.Helper()
	var out []string
	for {
		st := s.Next()
		if st == nil {
			s.t.Fatal("there is no end")
		}
		if st.Kind == stream.Message {
			r := st.Child(NS, "result")
			if st.From != room || st.To != phone || r.Attr("queryid") != "f1" {
				s.t.Errorf("a result as %s", st)
			}
			out = append(out, r.Attr("id"))
			continue
		}
		if st.Type == "error" {
			return xmpp.ParseError(st).Condition
		}
		fin := st.Child(NS, "fin")
		if fin.Attr("complete") != "true" {
			out = append(out, "...")
		}
		set := fin.Child(NSResults, "set")
		return strings.Join(out, " ") + " | " + set.ChildText("", "first") + " " + set.ChildText("", "last") + " " + set.ChildText("", "count")
	}
}

// TestResult45: a result is what was seen in the room, under the id that it had there.
func TestResult45(t *testing.T) {
	s := open(t)
	s.add("one & <two>", "")
	s.ask("")
	s.Expect(`<message from='` + room + `' to='` + phone + `'><result xmlns='` + NS + `' queryid='f1' id='m1'>
		<forwarded xmlns='urn:xmpp:forward:0'>
			<delay xmlns='urn:xmpp:delay' stamp='` + noon.Format("2006-01-02T15:04:05.000Z") + `'/>
			<message xmlns='jabber:client' from='` + room + `/dave' type='groupchat' id='s-m1' to='!'>
				<body>one &amp; &lt;two></body><stanza-id xmlns='urn:xmpp:sid:0' by='` + room + `' id='m1'/><no><delay xmlns='urn:xmpp:delay'/></no>
			</message>
		</forwarded></result></message>`)
	s.Expect(`<message><result xmlns='` + NS + `' id='m2'/></message>`)
	s.Expect(`<iq type='result' id='q' from='` + room + `' to='` + phone + `'><fin xmlns='` + NS + `' complete='true'>
		<set ` + set + `><first>m1</first><last>m2</last><count>2</count></set></fin></iq>`)
}

// TestQueries45 asks as Conversations, Dino and Gajim do, and as a client should not.
func TestQueries45(t *testing.T) {
	s := open(t)
	s.ten()
	for _, c := range []struct{ name, inside, want string }{
		{"everything", "", "m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 | m1 m10 10"},
		{"the first page", rsm("<max>3</max>"), "m1 m2 m3 ... | m1 m3 10"},
		{"the next page", rsm("<max>3</max><after>m3</after>"), "m4 m5 m6 ... | m4 m6 10"},
		{"the last page", rsm("<max>3</max><before/>"), "m8 m9 m10 ... | m8 m10 10"},
		{"the page before", rsm("<max>3</max><before>m8</before>"), "m5 m6 m7 ... | m5 m7 10"},
		{"back to the beginning", rsm("<max>5</max><before>m3</before>"), "m1 m2 | m1 m2 10"},
		{"catching up by time", fields("start", at(8)) + rsm("<max>50</max>"), "m8 m9 m10 | m8 m10 3"},
		{"catching up by id", fields("after-id", "m8"), "m9 m10 | m9 m10 2"},
		{"a gap", fields("after-id", "m2", "before-id", "m6") + rsm("<max>2</max><before/>"), "m4 m5 ... | m4 m5 3"},
		{"until", fields("end", at(2)), "m1 m2 | m1 m2 2"},
		{"another zone", fields("start", noon.Add(8*time.Minute).In(time.FixedZone("", 7200)).Format(time.RFC3339)), "m9 m10 | m9 m10 2"},
		{"with the room", fields("with", room) + rsm("<max>1</max>"), "m1 ... | m1 m1 10"},
		{"with one occupant", fields("with", room+"/eve") + rsm("<max>2</max>"), "m2 m4 ... | m2 m4 5"},
		{"with somebody else", fields("with", "eve@example.org"), " |   0"},
		{"these", fields("ids", "m7 m2"), "m2 m7 | m2 m7 2"},
		{"flipped", "<flip-page/>" + rsm("<max>3</max>"), "m3 m2 m1 ... | m1 m3 10"},
		{"flipped from the end", "<flip-page/>" + rsm("<max>3</max><before/>"), "m10 m9 m8 ... | m8 m10 10"},
		{"how many", rsm("<max>0</max>"), "... |   10"},
		{"an empty part", fields("start", at(30)), " |   0"},
		{"an empty form", fields(), "m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 | m1 m10 10"},
		{"gone", rsm("<after>zz</after>"), "item-not-found"},
		{"gone before", rsm("<before>zz</before>"), "item-not-found"},
		{"gone by name", fields("ids", "m1 zz"), "item-not-found"},
		{"gone as a filter", fields("after-id", "zz"), "item-not-found"},
		{"no number", rsm("<max>many</max>"), "bad-request"},
		{"a negative number", rsm("<max>-1</max>"), "bad-request"},
		{"by number", rsm("<index>3</index>"), "feature-not-implemented"},
		{"no time", fields("start", "yesterday"), "bad-request"},
		{"no address", fields("with", "@"), "bad-request"},
		{"by text", fields("withtext", "x"), "feature-not-implemented"},
		{"another form", "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>x</value></field></x>", "bad-request"},
		{"no submission", "<x xmlns='jabber:x:data' type='form'/>", "bad-request"},
		{"too many", fields("ids", strings.Repeat("m1 ", maxIDs)+"m2"), "policy-violation"},
	} {
		s.ask(c.inside)
		if got := s.results(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	s.Send("<iq type='set' id='q' from='" + phone + "' to='" + room + "'><query xmlns='" + NS + "' node='n'/></iq>")
	if got := s.results(); got != "item-not-found" {
		t.Errorf("a node: %q", got)
	}
}

// TestOwnHistory45: nobody is shown what they were not there to hear, and only rooms have a history.
func TestOwnHistory45(t *testing.T) {
	s := open(t)
	s.ten()
	for _, c := range []struct{ from, to, want string }{
		{"bob@example.org/x", room, "registration-required"},
		{"irc.gw", room, "not-authorized"},
		{phone, "irc.gw", "service-unavailable"},
		{phone, "dave%net@irc.gw", "service-unavailable"},
		{phone, room + "/dave", "service-unavailable"},
	} {
		for _, request := range []string{"set'><query xmlns='" + NS + "'/>", "get'><query xmlns='" + NS + "'/>", "get'><metadata xmlns='" + NS + "'/>"} {
			s.Send("<iq id='q' from='" + c.from + "' to='" + c.to + "' type='" + request + "</iq>")
			st := s.Next()
			if got := xmpp.ParseError(st).Condition; st.Type != "error" || got != c.want {
				t.Errorf("%s asks %s (%.40s): %s, want %s", c.from, c.to, request, st, c.want)
			}
		}
	}
	s.Send("<iq type='set' id='q' from='" + phone + "' to='#d%net@irc.gw'><query xmlns='" + NS + "' queryid='f1'/></iq>")
	s.Expect(`<iq type='result' from='#d%net@irc.gw'><fin xmlns='` + NS + `' complete='true'><set ` + set + `><count>0</count><no><first/></no></set></fin></iq>`)
}

func TestFormAndMetadata(t *testing.T) {
	s := open(t)
	get := func(payload string) {
		s.Send("<iq type='get' id='q' from='" + phone + "' to='" + room + "'><" + payload + " xmlns='" + NS + "'/></iq>")
	}
	get("metadata")
	s.Expect(`<iq type='result'><metadata xmlns='` + NS + `'><no><start/></no><no><end/></no></metadata></iq>`)
	s.ten()
	get("metadata")
	s.Expect(`<iq type='result' id='q' from='` + room + `'><metadata xmlns='` + NS + `'>
		<start id='m1' timestamp='` + noon.Format("2006-01-02T15:04:05.000Z") + `'/>
		<end id='m10' timestamp='` + noon.Add(9*time.Minute).Format("2006-01-02T15:04:05.000Z") + `'/></metadata></iq>`)
	get("query")
	s.Expect(`<iq type='result'><query xmlns='` + NS + `'><x xmlns='jabber:x:data' type='form'>
		<field type='hidden' var='FORM_TYPE'><value>` + NS + `</value></field><field type='jid-single' var='with'/>
		<field type='text-single' var='start'/><field type='text-single' var='end'/><field type='text-single' var='before-id'/>
		<field type='text-single' var='after-id'/><field type='list-multi' var='ids'/></x></query></iq>`)
}

// TestPagesAreBounded: in messages, in bytes, and in what was asked for and cannot be shown; every message is on a page.
func TestPagesAreBounded(t *testing.T) {
	s := open(t)
	big := strings.Repeat("x", pageBytes/3)
	s.add("t1", big, big, big, "unseen", "unseen", "unseen", strings.Repeat("x", maxResult), "t9")
	for _, c := range []struct{ inside, want string }{
		{"", "m1 m2 m3 ... | m1 m3 9"},
		{rsm("<after>m3</after>"), "m4 m9 | m4 m9 9"},
		{rsm("<before/>"), "m3 m4 m9 ... | m3 m9 9"},
		{rsm("<before>m3</before>"), "m1 m2 | m1 m2 9"},
		{rsm("<after>m4</after><max>2</max>"), "... | m5 m6 9"},
		{rsm("<before>m8</before><max>2</max>"), "... | m6 m7 9"},
	} {
		s.ask(c.inside)
		if got := s.results(); got != c.want {
			t.Errorf("%s: %q, want %q", c.inside, got, c.want)
		}
	}
	many := make([]string, 150)
	s = open(t)
	s.add(many...)
	for _, c := range []struct {
		inside string
		want   int
	}{{"", usualPage}, {rsm("<max>1000</max>"), maxPage}, {rsm("<max>1000</max><after>m100</after>"), 50}} {
		s.ask(c.inside)
		if got := strings.Count(s.results(), "m") - 2; got != c.want {
			t.Errorf("%s: %d messages, want %d", c.inside, got, c.want)
		}
	}
}

// TestOnePageAtATime: what a user asks for next waits until the server has processed the page before.
func TestOnePageAtATime(t *testing.T) {
	s := open(t)
	s.ten()
	s.HoldPings()
	for range 3 {
		s.ask(rsm("<max>1</max>"))
	}
	if got := s.results(); got != "m1 ... | m1 m1 10" {
		t.Fatal(got)
	}
	s.AwaitPings(1)
	s.Quiet("bob@example.org/x", "irc.gw")
	s.ReleasePings()
	for range 2 {
		if got := s.results(); got != "m1 ... | m1 m1 10" {
			t.Errorf("a later page: %s", got)
		}
	}
}
