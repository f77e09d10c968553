package register

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

// tuner has two settings, and a nick and a password to connect with.
type tuner struct{}

func (tuner) Settings(string) []core.Setting {
	return []core.Setting{
		{Places: core.Anywhere, Field: core.Field{Name: "edits", Type: core.ChoiceField, Value: "mark", Label: "Corrections",
			Options: []core.Option{{Value: "mark", Label: "are marked"}, {Value: "refuse", Label: "are refused"}}}},
		{Places: core.Anywhere, Field: core.Field{Name: "charset", Value: "latin1", Label: "Encoding"}},
	}
}

func (tuner) Connection(a core.Account) ([]core.Field, error) {
	return []core.Field{
		{Name: "network", Type: core.NoteField, Value: a.Realm}, {Name: "nick", Label: "Nick", Value: "al"},
		{Name: "password", Label: "Password", Type: core.SecretField}, {Name: "commands", Label: "Commands", Type: core.LongField, Value: "one"},
	}, nil
}

// places sets a stage with a network that has settings, and rooms.
func places(t *testing.T, change ...func(*core.Network)) (*scene, *[]core.Account, *[]string) {
	t.Helper()
	s := &scene{srv: xmpptest.New(t), hall: newHall(), choices: &choices{}}
	s.hall.Step = func(answers map[string]string) (core.Step, error) {
		if answers["nick"] == "bad nick" {
			return core.Step{Text: "That cannot be a nick."}, nil
		}
		return core.Step{Done: true, Text: "You are " + answers["nick"] + " on " + answers["network"] + "."}, nil
	}
	network := edgetest.Network((*edgetest.Full)(nil))
	network.TransportCaps.Tuner = tuner{}
	for _, fn := range change {
		fn(network)
	}
	var chosen []core.Account
	var passed []string
	d := &edge.Domain{Name: "irc.gw", Network: network}
	s.desk = New(Config{Domain: d, Gateway: s.hall, Accounts: s.hall, Choices: s.choices, Now: s.now, Chosen: func(_ context.Context, a core.Account) error {
		chosen = append(chosen, a)
		return nil
	}})
	next := contactDoor(func(st *stream.Stanza) { passed = append(passed, strings.Clone(st.Body())) })
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Message(&edge.Switch{Domain: d, Self: s.desk.Messages(), Contact: s.desk.Networks(next)})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	s.desk.Register(router)
	disco.New(disco.Config{Domain: d, Gateway: s.hall, Features: s.desk.Features(), Nodes: s.desk.Nodes(), Rooms: noRooms{}}).Register(router)
	xmpptest.Start(t, s.srv, "irc.gw", router)
	return s, &chosen, &passed
}

type contactDoor func(*stream.Stanza)

func (c contactDoor) ServeTarget(_ context.Context, _ xmpp.Sender, st *stream.Stanza, _ core.Target) error {
	c(st)
	return nil
}

type noRooms struct{}

func (noRooms) Info(context.Context, disco.Query) (disco.Info, error)    { return disco.Info{}, nil }
func (noRooms) Items(context.Context, disco.Query) ([]disco.Item, error) { return nil, nil }
func (noRooms) List(context.Context, disco.Query) ([]disco.Item, bool, error) {
	return nil, true, nil
}

const (
	aRoom = "#c%net.example@irc.gw"
	aNet  = "%net.example@irc.gw"
	aBob  = "bob%net.example@irc.gw"
)

// to asks an address something.
func (s *scene) to(address, typ, payload string) *stream.Stanza {
	s.seq++
	s.srv.Send(fmt.Sprintf(`<iq type='%s' id='q%d' from='%s/phone' to='%s'>%s</iq>`, typ, s.seq, alice, address, payload))
	return s.srv.Next()
}

// form asks for the form of a place, fills some of it in and returns what comes of it.
func (s *scene) form(t *testing.T, address string, answers ...pair) (asked *stream.Element, note string) {
	t.Helper()
	st := s.to(address, "set", `<command xmlns='http://jabber.org/protocol/commands' node='configure'/>`)
	if st.From != address || st.Type != "result" {
		t.Fatalf("%s answers %v", address, st)
	}
	command := st.Child(NSCommands, "command")
	asked = command.Child("jabber:x:data", "x")
	st = s.to(address, "set", submission("configure", command.Attr("sessionid"), "complete", answers...))
	return asked, st.Child(NSCommands, "command").ChildText("", "note")
}

// The same choices are made by form at a network, a room and a person.
func TestConfigureAtPlaces(t *testing.T) {
	s, chosen, _ := places(t)
	for _, c := range []struct {
		at      string
		answers []pair
		note    string
		want    string
	}{
		{aRoom, []pair{{"edits", "refuse"}, {"charset", "koi8-r"}, {"history", "5"}}, "Your choices are kept.",
			"map[charset #c%net.example:koi8-r edits #c%net.example:refuse history #c%net.example:5]"},
		{aNet, []pair{{"nick", "al"}, {"commands", "one"}, {"edits", "mark"}, {"charset", ""}, {"persistent", "true"}}, "Your choices are kept.",
			"map[charset #c%net.example:koi8-r edits #c%net.example:refuse edits %net.example:mark history #c%net.example:5 persistent %net.example:true]"},
		{aBob, []pair{{"edits", "inherit"}, {"charset", "cp866"}}, "Your choices are kept.",
			"map[charset #c%net.example:koi8-r charset bob%net.example:cp866 edits #c%net.example:refuse edits %net.example:mark history #c%net.example:5 persistent %net.example:true]"},
	} {
		_, note := s.form(t, c.at, c.answers...)
		if got := fmt.Sprint(s.choices.p.Own); note != c.note || got != c.want {
			t.Errorf("%s: %q\nkept %s\nwant %s", c.at, note, got, c.want)
		}
	}
	if len(s.hall.Enrolled()) != 0 {
		t.Errorf("an account was changed that nobody changed: %v", s.hall.Enrolled())
	}
	asked, note := s.form(t, aNet, pair{"nick", "new"}, pair{"commands", "one"}, pair{"edits", "inherit"})
	if note != "Your choices are kept.\n\nYou are new on net.example." {
		t.Errorf("noted %q", note)
	}
	if got := fmt.Sprint(s.hall.Enrolled()); got != "[map[commands:one network:net.example nick:new password:]]" {
		t.Errorf("changed with %s", got)
	}
	for _, want := range []string{"type='fixed'", "var='nick'", "var='edits'", "as usual: are marked", "var='persistent'"} {
		if !strings.Contains(fmt.Sprint(asked), want) {
			t.Errorf("%s is not in %v", want, asked)
		}
	}
	if len(*chosen) == 0 {
		t.Error("the rooms are not told")
	}
}

// One wrong answer, and nothing is kept.
func TestConfigureRefuses(t *testing.T) {
	s, _, _ := places(t)
	st := s.to(aNet, "set", `<command xmlns='http://jabber.org/protocol/commands' node='configure'/>`)
	id := st.Child(NSCommands, "command").Attr("sessionid")
	for _, answers := range [][]pair{
		{{"nick", "bad nick"}, {"edits", "refuse"}}, {{"nick", "good"}, {"edits", "refuse"}, {"history", "1000"}},
	} {
		st = s.to(aNet, "set", submission("configure", id, "complete", answers...))
		if command := st.Child(NSCommands, "command"); command.Attr("status") != "executing" || len(s.choices.p.Own) != 0 {
			t.Errorf("%v: %v, kept %v", answers, command, s.choices.p.Own)
		}
	}
	for _, enrolled := range s.hall.Enrolled() {
		if enrolled["nick"] != "bad nick" {
			t.Errorf("changed with %v", enrolled)
		}
	}
	if got := failed(s.to(aRoom+"/Bob", "set", `<command xmlns='http://jabber.org/protocol/commands' node='configure'/>`)); got != "cancel feature-not-implemented" {
		t.Errorf("an occupant: %s", got)
	}
	for _, at := range []string{"irc.gw", aRoom} {
		if got := failed(s.to(at, "set", `<command xmlns='http://jabber.org/protocol/commands' node='export'/>`)); got != "cancel item-not-found" {
			t.Errorf("%s: %s", at, got)
		}
	}
}

// Behaviour 3: each place lists its own commands.
func TestCommandsOfPlaces3(t *testing.T) {
	s, _, _ := places(t)
	items := `<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>`
	for at, want := range map[string][]string{
		"irc.gw": {"preferences", "settings"}, aNet: {"settings", "configure"}, aRoom: {"configure"}, aBob: {"configure"},
	} {
		st := s.to(at, "get", items)
		var got []string
		for item := range st.Only().Children() {
			if node := item.Attr("node"); item.Attr("jid") == at && (node == "preferences" || node == "settings" || node == "configure") {
				got = append(got, node)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s lists %v, want %v", at, got, want)
		}
	}
	info := `<query xmlns='http://jabber.org/protocol/disco#info' node='configure'/>`
	if got := failed(s.to(aRoom, "get", info)); got != "" {
		t.Errorf("what a room's command is: %s", got)
	}
	if got := failed(s.to("irc.gw", "get", info)); got != "cancel item-not-found" {
		t.Errorf("what the gateway's command is: %s", got)
	}
	if got := failed(s.to(aRoom+"/Bob", "get", items)); got != "cancel feature-not-implemented" {
		t.Errorf("of an occupant: %s", got)
	}
}

// The same choices are read and made in a chat with the gateway and with a network.
func TestSettingsByChat(t *testing.T) {
	s, _, passed := places(t)
	s.choices.p.Own = map[string]string{"charset": "ascii"}
	for _, c := range []struct{ to, text, want string }{
		{"irc.gw", "settings", "*edits = mark, as usual (corrections)\ncharset = ascii (encoding)*To see what one can be, send its name: settings everywhere NAME.*"},
		{"irc.gw", "settings #c%net.example", "What holds for #c%net.example:*charset = ascii, as everywhere (encoding)*"},
		{"irc.gw", "settings edits", "edits = mark, as usual (corrections)\nmark: are marked\nrefuse: are refused"},
		{"irc.gw", "settings #c%net.example edits Refuse", "#c%net.example: edits = refuse (corrections)"},
		{"irc.gw", "settings #c%net.example edits maybe", "Corrections: Choose one of mark, refuse."},
		{"irc.gw", "settings #c%net.example edits inherit", "#c%net.example: edits = mark, as usual (corrections)"},
		{"irc.gw", "settings nonsense", `There is no setting "nonsense" for everywhere. Send "settings" to see which there are.`},
		{"irc.gw", "settings %net.example nick New", "That is kept.\n\nYou are New on net.example."},
		{aNet, "settings", "What holds for %net.example:\nnick = al (nick)\npassword = (not shown) (password)\ncommands = one (commands)\n*charset = ascii, as everywhere (encoding)*"},
		{aNet, "settings charset koi8-r", "%net.example: charset = koi8-r (encoding)"},
		{aNet, "settings #c", "What holds for #c%net.example:*charset = koi8-r, as on %net.example (encoding)*"},
		{aNet, "settings #c charset cp866", "#c%net.example: charset = cp866 (encoding)"},
		{aNet, "settings everywhere charset", "charset = ascii (encoding)"},
		{aNet, "settings nick bad nick", "That cannot be a nick."},
		{aNet, "help", "This is %net.example. Send a word:\nsettings [PLACE] [NAME [VALUE]]: *configure: *"},
		{aNet, "configure", "What shall hold for %net.example?*Nick?*"},
		{aNet, "cancel", "Cancelled. Nothing was changed."},
	} {
		s.srv.Send(`<message type='chat' id='c1' from='` + alice + `/phone' to='` + c.to + `'><body>` + c.text + `</body></message>`)
		s.srv.Expect(`<message type='chat' id='*' from='` + c.to + `' to='` + alice + `'><body>` + c.want + `</body></message>`)
	}
	if got := fmt.Sprint(s.choices.p.Own); got != "map[charset:ascii charset #c%net.example:cp866 charset %net.example:koi8-r]" {
		t.Errorf("kept %s", got)
	}
	for _, text := range []string{"WHOIS bob", "cancel", "nick x"} { // no words of ours
		s.srv.Send(`<message type='chat' id='c1' from='` + alice + `/phone' to='` + aNet + `'><body>` + text + `</body></message>`)
	}
	s.srv.Quiet(alice+"/phone", "irc.gw")
	if got := strings.Join(*passed, ", "); got != "WHOIS bob, cancel, nick x" {
		t.Errorf("passed on %q", got)
	}
}

// The form of preferences has what holds everywhere.
func TestPreferencesHaveSettings(t *testing.T) {
	s, _, _ := places(t)
	st := s.to("irc.gw", "set", `<command xmlns='http://jabber.org/protocol/commands' node='preferences'/>`)
	command := st.Child(NSCommands, "command")
	for _, want := range []string{"own-edits", "own-persistent", "as usual: are marked"} {
		if !strings.Contains(fmt.Sprint(command), want) {
			t.Errorf("%s is not asked in %v", want, command)
		}
	}
	s.to("irc.gw", "set", submission("preferences", command.Attr("sessionid"), "complete",
		pair{"typing", "1"}, pair{"read", "1"}, pair{"receipts", "1"}, pair{"own-edits", "refuse"}, pair{"own-persistent", "inherit"}, pair{"own-history", ""}))
	if got := fmt.Sprint(s.choices.p.Own); got != "map[edits:refuse]" {
		t.Errorf("kept %s", got)
	}
}

// sole serves one network.
type sole struct{ core.Transport }

func (sole) Single() string { return "net.example" }

// Where there is one network the gateway is it: its form is at the gateway's own address, beside what holds everywhere.
func TestTheGatewayIsTheNetwork(t *testing.T) {
	s, _, _ := places(t)
	if strings.Contains(fmt.Sprint(s.to("irc.gw", "get", `<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>`)), "configure") {
		t.Error("a gateway of several networks has the form of one")
	}
	s, _, _ = places(t, func(n *core.Network) { n.TransportCaps.Single = sole{} })
	asked, note := s.form(t, "irc.gw", pair{"nick", "new"}, pair{"commands", "one"}, pair{"edits", "refuse"})
	if !strings.Contains(fmt.Sprint(asked), "var='nick'") || note != "Your choices are kept.\n\nYou are new on net.example." {
		t.Errorf("asked %v, noted %q", asked, note)
	}
	if got := fmt.Sprint(s.choices.p.Own); got != "map[edits %net.example:refuse]" {
		t.Errorf("kept %s", got)
	}
}
