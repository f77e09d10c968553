package biboumi

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// The values that biboumi writes for who has chosen nothing.
const (
	usualPorts    = "6667"
	usualTLSPorts = "6697;6670"
	usualThrottle = 10 // and 0 where a form left it out
	usualHistory  = 20
)

// Server is what a user chose for a server. An empty text is no choice.
type Server struct {
	Nick, Username, Realname string
	Pass, SASLPassword       string
	EncodingIn, EncodingOut  string
	Commands                 []string // to write when connected
	Address                  string   // another than the server's own name
	Ports, TLSPorts          string   // semicolons between them; empty also where they are the usual ones
	NoPlain, NoTLS           bool     // the user has emptied the list
	AnyCertificate           bool
	Fingerprint              string // SHA-1, in hex
	History                  int    // lines shown at a join; 0: as usual
	Throttle                 *int   // lines that go at once; nil: as usual
}

// Channel is what a user chose for a channel.
type Channel struct {
	Name                    string
	EncodingIn, EncodingOut string
	Persistent              bool
	Record                  *bool // nil: as for all channels
	History                 int
}

// Account is one user on one server.
type Account struct {
	Owner, Server string
	Chosen        *Server // nil: nothing
	Channels      []Channel
	Logged        []Logged // channels of which there is history
}

// Logged is a channel of which there is history.
type Logged struct {
	Channel string
	Lines   int64
	server  string // in biboumi's spelling
}

// Global is what a user chose for all servers.
type Global struct {
	Owner      string
	Unrecorded bool // no history is kept
	Persistent bool
	History    int
}

// key is one user on one server.
type key struct{ owner, server string }

// Owners are all users that anything is kept about, in order. Only their names are held.
func (d *DB) Owners(ctx context.Context) ([]string, error) {
	var parts []string
	for _, table := range []string{"globaloptions_", "ircserveroptions_", "ircchanneloptions_", "muclogline_"} {
		if slices.Contains(d.has[table], "owner_") {
			parts = append(parts, "SELECT owner_ AS owner FROM "+table)
		}
	}
	if slices.Contains(d.has["roster"], "remote") {
		parts = append(parts, "SELECT remote AS owner FROM roster")
	}
	var owners []string
	err := d.each(ctx, func(scan func(...any) error) error {
		var owner sql.NullString
		err := scan(&owner)
		if owner.String != "" {
			owners = append(owners, owner.String)
		}
		return err
	}, strings.Join(parts, " UNION ")+" ORDER BY owner")
	return owners, err
}

// Lines counts the history.
func (d *DB) Lines(ctx context.Context) (n int64, err error) {
	err = d.each(ctx, func(scan func(...any) error) error { return scan(&n) }, "SELECT count(*) FROM muclogline_")
	return n, err
}

// Accounts are those of a user, by server.
func (d *DB) Accounts(ctx context.Context, owner string) ([]*Account, error) {
	all := map[key]*Account{}
	var order []*Account
	of := func(server string) *Account {
		k := key{owner, strings.ToLower(server)}
		if all[k] == nil {
			all[k] = &Account{Owner: owner, Server: k.server}
			order = append(order, all[k])
		}
		return all[k]
	}
	for _, part := range []func(context.Context, string, func(string) *Account) error{d.servers, d.channels, d.logged} {
		if err := part(ctx, owner, of); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(order, func(a, b *Account) int { return strings.Compare(a.Server, b.Server) })
	return order, nil
}

func (d *DB) servers(ctx context.Context, owner string, of func(string) *Account) error {
	query := "SELECT " + d.selected("ircserveroptions_", "id_", "server_", "nick_", "username_", "realname_", "pass_", "saslpassword_",
		"encodingin_", "encodingout_", "address_", "ports_", "tlsports_", "verifycert_", "trustedfingerprint_", "maxhistorylength_",
		"throttlelimit_") + " FROM ircserveroptions_ WHERE owner_ = ? ORDER BY id_"
	ids := map[int64]*Server{}
	err := d.each(ctx, func(scan func(...any) error) error {
		var id int64
		var text [12]sql.NullString
		var verify, history, throttle sql.NullInt64
		err := scan(&id, &text[0], &text[1], &text[2], &text[3], &text[4], &text[5], &text[6], &text[7], &text[8], &text[9], &text[10],
			&verify, &text[11], &history, &throttle)
		if err != nil || text[0].String == "" {
			return err
		}
		s := &Server{
			Nick: text[1].String, Username: text[2].String, Realname: text[3].String, Pass: text[4].String, SASLPassword: text[5].String,
			EncodingIn: text[6].String, EncodingOut: text[7].String, Address: text[8].String, Fingerprint: text[11].String,
			AnyCertificate: verify.Valid && verify.Int64 == 0, History: unusual(history, usualHistory),
		}
		s.ports(text[9], text[10])
		if throttle.Valid && throttle.Int64 != usualThrottle && throttle.Int64 != 0 {
			n := int(throttle.Int64)
			s.Throttle = &n
		}
		ids[id] = s
		of(text[0].String).Chosen = s
		return nil
	}, query, owner)
	if err != nil {
		return err
	}
	for id, s := range ids {
		if err := d.commands(ctx, id, s); err != nil {
			return err
		}
	}
	return nil
}

// ports tells lists that are the usual ones from what the user wrote.
func (s *Server) ports(plain, secure sql.NullString) {
	list := func(text sql.NullString, usual string) (ports string, none bool) {
		ports = strings.Join(strings.FieldsFunc(text.String, func(r rune) bool { return r == ';' || r == ' ' }), ";")
		if none = text.Valid && ports == ""; ports == usual {
			ports = ""
		}
		return ports, none
	}
	s.Ports, s.NoPlain = list(plain, usualPorts)
	s.TLSPorts, s.NoTLS = list(secure, usualTLSPorts)
}

func unusual(n sql.NullInt64, usual int64) int {
	if !n.Valid || n.Int64 == usual || n.Int64 <= 0 {
		return 0
	}
	return int(n.Int64)
}

func (d *DB) commands(ctx context.Context, id int64, s *Server) error {
	if !slices.Contains(d.has["after_connection_commands_"], "fk_") {
		return nil
	}
	return d.each(ctx, func(scan func(...any) error) error {
		var text sql.NullString
		err := scan(&text)
		if text.String != "" {
			s.Commands = append(s.Commands, text.String)
		}
		return err
	}, "SELECT afterconnectioncommand_ FROM after_connection_commands_ WHERE fk_ = ? ORDER BY id_", id)
}

func (d *DB) channels(ctx context.Context, owner string, of func(string) *Account) error {
	query := "SELECT " + d.selected("ircchanneloptions_", "server_", "channel_", "encodingin_", "encodingout_", "maxhistorylength_",
		"persistent_", "recordhistory_") + " FROM ircchanneloptions_ WHERE owner_ = ? ORDER BY id_"
	return d.each(ctx, func(scan func(...any) error) error {
		var server, name, in, out sql.NullString
		var history, persistent, record sql.NullInt64
		if err := scan(&server, &name, &in, &out, &history, &persistent, &record); err != nil {
			return err
		}
		if server.String != "" && name.String != "" {
			a := of(server.String)
			a.Channels = append(a.Channels, Channel{
				Name: name.String, EncodingIn: in.String, EncodingOut: out.String, Persistent: persistent.Int64 == 1,
				Record: optional(record), History: unusual(history, usualHistory),
			})
		}
		return nil
	}, query, owner)
}

// optional reads biboumi's OptionalBool: 1, -1 for no, 0 for not chosen.
func optional(n sql.NullInt64) *bool {
	if !n.Valid || n.Int64 != 1 && n.Int64 != -1 {
		return nil
	}
	yes := n.Int64 == 1
	return &yes
}

func (d *DB) logged(ctx context.Context, owner string, of func(string) *Account) error {
	return d.each(ctx, func(scan func(...any) error) error {
		var server, channel sql.NullString
		var lines int64
		if err := scan(&server, &channel, &lines); err != nil {
			return err
		}
		if server.String != "" && channel.String != "" {
			a := of(server.String)
			a.Logged = append(a.Logged, Logged{channel.String, lines, server.String})
		}
		return nil
	}, "SELECT ircservername_, ircchanname_, count(*) FROM muclogline_ WHERE owner_ = ? GROUP BY ircchanname_, ircservername_", owner)
}

// Global is what a user chose for all servers; zero if nothing.
func (d *DB) Global(ctx context.Context, owner string) (Global, error) {
	g := Global{Owner: owner}
	if !slices.Contains(d.has["globaloptions_"], "owner_") {
		return g, nil
	}
	return g, d.each(ctx, func(scan func(...any) error) error {
		var history, record, persistent sql.NullInt64
		err := scan(&history, &record, &persistent)
		g.Unrecorded, g.Persistent, g.History = record.Valid && record.Int64 == 0, persistent.Int64 == 1, unusual(history, usualHistory)
		return err
	}, "SELECT "+d.selected("globaloptions_", "maxhistorylength_", "recordhistory_", "persistent_")+
		" FROM globaloptions_ WHERE owner_ = ? ORDER BY id_ LIMIT 1", owner)
}

// Contacts are the addresses at the gateway that are on a user's contact list.
func (d *DB) Contacts(ctx context.Context, owner string) (all []string, err error) {
	if !slices.Contains(d.has["roster"], "remote") {
		return nil, nil
	}
	return all, d.each(ctx, func(scan func(...any) error) error {
		var local sql.NullString
		err := scan(&local)
		if local.String != "" {
			all = append(all, local.String)
		}
		return err
	}, "SELECT local FROM roster WHERE remote = ? ORDER BY local", owner)
}

// Line is something that was said.
type Line struct {
	Row        int64 // its place in the table
	UUID       string
	At         time.Time
	Nick, Body string
}

// History returns lines of a channel, the oldest first, those behind a row, at most limit.
func (d *DB) History(ctx context.Context, owner string, l Logged, after int64, limit int) ([]Line, error) {
	var lines []Line
	err := d.each(ctx, func(scan func(...any) error) error {
		var line Line
		var uuid, nick, body sql.NullString
		var at sql.NullInt64
		err := scan(&line.Row, &uuid, &at, &nick, &body)
		line.UUID, line.At, line.Nick, line.Body = uuid.String, time.Unix(at.Int64, 0).UTC(), nick.String, body.String
		lines = append(lines, line)
		return err
	}, `SELECT id_, uuid_, date_, nick_, body_ FROM muclogline_
		WHERE owner_ = ? AND ircchanname_ = ? AND ircservername_ = ? AND id_ > ? ORDER BY id_ LIMIT ?`, owner, l.Channel, l.server, after, limit)
	return lines, err
}

// Before returns the row behind which the newest lines of a channel are, limit of them; 0 if there are no more.
func (d *DB) Before(ctx context.Context, owner string, l Logged, limit int) (row int64, err error) {
	err = d.each(ctx, func(scan func(...any) error) error { return scan(&row) },
		`SELECT id_ FROM muclogline_ WHERE owner_ = ? AND ircchanname_ = ? AND ircservername_ = ? ORDER BY id_ DESC LIMIT 1 OFFSET ?`,
		owner, l.Channel, l.server, limit)
	return row, err
}
