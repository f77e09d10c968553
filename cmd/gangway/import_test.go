package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gangway/core"
)

// biboumiDatabase is "biboumi FILE": a database of biboumi's with three users.
func biboumiDatabase(ts *testscript.TestScript, _ bool, args []string) {
	schema, err := os.ReadFile(schemaFile)
	ts.Check(err)
	now := time.Now().Unix()
	statements(ts, args[0], string(schema), fmt.Sprintf(`
INSERT INTO globaloptions_ VALUES(1,'alice@example.org',20,0,0);
INSERT INTO ircserveroptions_ VALUES(1,'alice@example.org','irc.test','',';','20448;','way too long','Alice A.',0,'','','koi8-r',0,'','al','sasl-secret',0);
INSERT INTO ircserveroptions_ VALUES(2,'bob@example.org','irc.test','','6697;6670;','6667;','','',1,'','','',20,'','bobby','',10);
INSERT INTO ircserveroptions_ VALUES(3,'bob@example.org','irc.denied.test','','6697;6670;','6667;','','',1,'','','',20,'','bobby','',10);
INSERT INTO ircchanneloptions_ VALUES(1,'alice@example.org','irc.test','#chan','','latin1',0,1,0);
INSERT INTO after_connection_commands_ VALUES(1,1,'PRIVMSG NickServ :identify x');
INSERT INTO roster VALUES('friend%%irc.test@biboumi.example.org','carol@example.org'),('irc.test@biboumi.example.org','carol@example.org'),
	('biboumi.example.org','carol@example.org');
INSERT INTO muclogline_ VALUES(1,'u-0','alice@example.org','#chan','irc.test',1000,'long ago','bob');
INSERT INTO muclogline_ VALUES(2,'u-1','alice@example.org','#chan','irc.test',%d,'hello','bob');
INSERT INTO muclogline_ VALUES(3,'u-2','alice@example.org','#chan','irc.test',%d,'/me waves','bob');
INSERT INTO muclogline_ VALUES(4,'u-3','alice@example.org','#chan','irc.test',%d,'from me','al');`, now-300, now-300, now-299))
}

// schemaFile is what biboumi 9.0 makes.
const schemaFile = "../../transports/irc/biboumi/testdata/schema.sql"

// fixedBiboumi is "fixed FILE": a database of a biboumi with fixed_irc_server, whose addresses name no network, and with
// channels whose names are escaped in addresses.
func fixedBiboumi(ts *testscript.TestScript, _ bool, args []string) {
	schema, err := os.ReadFile(schemaFile)
	ts.Check(err)
	statements(ts, args[0], string(schema), `
INSERT INTO ircchanneloptions_ VALUES(1,'alice@example.org','irc.test','&local','','',20,1,0);
INSERT INTO ircchanneloptions_ VALUES(2,'alice@example.org','irc.test','#a/b@c%d','','',20,1,0);
INSERT INTO roster VALUES('friend@biboumi.example.org','alice@example.org'),('we\40ird@biboumi.example.org','alice@example.org'),
	('#chan@biboumi.example.org','alice@example.org'),('biboumi.example.org','alice@example.org');`)
}

// laterBiboumi is "later FILE": a later biboumi has been at the database.
func laterBiboumi(ts *testscript.TestScript, _ bool, args []string) {
	statements(ts, args[0], "CREATE TABLE wings_ (id INTEGER)")
}

func statements(ts *testscript.TestScript, file string, all ...string) {
	db, err := sql.Open("sqlite", ts.MkAbs(file))
	ts.Check(err)
	defer db.Close()
	for _, text := range all {
		_, err := db.ExecContext(context.Background(), text)
		ts.Check(err)
	}
}

func TestProgressInLines(t *testing.T) {
	var out, result bytes.Buffer
	p := newProgress(&out)
	p.add(1)
	p.begin(200)
	for range 10 {
		p.add(10)
		p.say(&result, "said")
	}
	p.end()
	if got := strings.Count(out.String(), "\n"); got != 5 || !strings.HasSuffix(out.String(), "101 of 200 lines\n") || strings.Contains(out.String(), "\r") {
		t.Errorf("%d lines: %q", got, out.String())
	}
	if strings.Count(result.String(), "said\n") != 10 {
		t.Errorf("%q", result.String())
	}
}

func TestProgressBar(t *testing.T) {
	var out, result bytes.Buffer
	p := &progress{out: &out, bar: true}
	p.begin(10)
	p.add(5)
	p.say(&result, "said")
	p.add(5)
	p.end()
	for _, part := range []string{"\r[####################....................]  50% of 10 lines", "100% of 10 lines", "\r\x1b[K"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is not in %q", part, out.String())
		}
	}
}

func TestIdentLeadsBackToAUser(t *testing.T) {
	a := configured(t, "[transport.irc]\ndomain = \"irc.example.org\"\nsecret = \"s3cret\"\nnetworks = [\"irc.test\"]")
	for _, u := range []core.UserID{"alice@example.org", "bob@example.org"} {
		if _, err := a.mapping.Link(t.Context(), core.Account{User: u, Network: "irc", Realm: "irc.test"}); err != nil {
			t.Fatal(err)
		}
	}
	known, err := a.gateway.Network("irc").TransportCaps.Identifier.Identify(t.Context(), "bob@example.org")
	if err != nil || len(known) != 2 {
		t.Fatal(known, err)
	}
	d := &desk{app: a}
	for _, text := range []string{known[0], "~" + strings.ToUpper(known[0]) + " ", "nick!~x@" + known[1]} {
		rows, err := d.identified(t.Context(), text)
		if err != nil || len(rows) != 1 || rows[0].User != "bob@example.org" || rows[0].Realm != "irc.test" {
			t.Errorf("%q: %+v, %v", text, rows, err)
		}
	}
	if _, err := d.identified(t.Context(), "nobody"); core.KindOf(err) != core.NotFound {
		t.Errorf("an unknown word: %v", err)
	}
}
