package biboumi

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

//go:embed testdata/schema.sql
var schema string

const people = `
INSERT INTO globaloptions_ VALUES(1,'alice@example.org',42,0,1);
INSERT INTO ircserveroptions_ VALUES(1,'alice@example.org','irc.test','srv',';','20448;','ally','Alice A.',0,'','latin1','koi8-r',0,'127.0.0.1','al','sasl',0);
INSERT INTO ircserveroptions_ VALUES(2,'bob@example.org','irc.b.test','','6697;6670;','6667;','','',1,'','','',20,'','','',10);
INSERT INTO ircchanneloptions_ VALUES(1,'alice@example.org','irc.test','#chan','','latin1',0,1,0);
INSERT INTO ircchanneloptions_ VALUES(2,'alice@example.org','irc.c.test','#x','utf-8','',99,0,-1);
INSERT INTO after_connection_commands_ VALUES(1,1,'PRIVMSG NickServ :identify x');
INSERT INTO roster VALUES('irc.test@biboumi.example.org','carol@example.org');
INSERT INTO muclogline_ VALUES(1,'u1','alice@example.org','#chan','irc.test',1795520129,'hello','bob');
INSERT INTO muclogline_ VALUES(2,'u2','alice@example.org','#chan','irc.test',1795520130,'/me waves','bob');
INSERT INTO muclogline_ VALUES(3,'u3','alice@example.org','#chan','irc.test',1795520131,'from me','al');
`

func database(t *testing.T, statements ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "biboumi.sqlite")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func open(t *testing.T, file string) *DB {
	t.Helper()
	d, err := Open(t.Context(), file, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestRead(t *testing.T) {
	d := open(t, database(t, schema, people))
	ctx := t.Context()
	owners, err := d.Owners(ctx)
	if want := []string{"alice@example.org", "bob@example.org", "carol@example.org"}; err != nil || !reflect.DeepEqual(owners, want) {
		t.Fatalf("owners %v, %v", owners, err)
	}
	if n, err := d.Lines(ctx); n != 3 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
	accounts, err := d.Accounts(ctx, "alice@example.org")
	if err != nil || len(accounts) != 2 || accounts[0].Server != "irc.c.test" || accounts[1].Server != "irc.test" {
		t.Fatalf("accounts %+v, %v", accounts, err)
	}
	answers, left := accounts[1].Answers()
	want := map[string]string{
		"network": "irc.test", "nick": "al", "username": "ally", "realname": "Alice A.", "password": "sasl", "server_password": "srv",
		"commands": "PRIVMSG NickServ :identify x",
	}
	if !maps.Equal(answers, want) {
		t.Errorf("answers %v", answers)
	}
	contains(t, left, "the address 127.0.0.1", "without TLS only (20448)", "latin1")
	if rooms := accounts[1].Persistent(); !reflect.DeepEqual(rooms, []string{"#chan"}) || accounts[1].Nick() != "al" {
		t.Errorf("rooms %v of %s", rooms, accounts[1].Nick())
	}
	_, left = accounts[0].Answers()
	contains(t, left, "the encoding to write in #x")
	wanted := []Choices{
		{"", map[string]string{"encoding_in": "koi8-r"}}, {"#chan", map[string]string{"encoding_in": "latin1"}},
		{"#x", map[string]string{"record": "false", "history": "99"}},
	}
	if got := append(accounts[1].Choices(), accounts[0].Choices()...); !reflect.DeepEqual(got, wanted) {
		t.Errorf("chosen is %v", got)
	}
	g, err := d.Global(ctx, "alice@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Choices(); len(g.Left()) > 0 || !maps.Equal(got, map[string]string{"record": "false", "persistent": "true", "history": "42"}) {
		t.Errorf("chosen for everything is %v, left %v", got, g.Left())
	}
	usual, err := d.Accounts(ctx, "bob@example.org")
	if err != nil || len(usual) != 1 {
		t.Fatalf("%v, %v", usual, err)
	}
	if answers, left := usual[0].Answers(); len(answers) != 1 || len(left) > 0 || usual[0].Nick() != "bob" {
		t.Errorf("of the usual choices %v, %v", answers, left)
	}
	if contacts, err := d.Contacts(ctx, "carol@example.org"); err != nil || len(contacts) != 1 || contacts[0] != "irc.test@biboumi.example.org" {
		t.Errorf("contacts %v, %v", contacts, err)
	}
}

func contains(t *testing.T, left []string, parts ...string) {
	t.Helper()
	if len(left) != len(parts) {
		t.Errorf("%d left: %q", len(left), left)
	}
	for _, part := range parts {
		if !strings.Contains(strings.Join(left, "\n"), part) {
			t.Errorf("%q is not in %q", part, left)
		}
	}
}

func TestHistory(t *testing.T) {
	d := open(t, database(t, schema, people))
	accounts, err := d.Accounts(t.Context(), "alice@example.org")
	if err != nil || len(accounts[1].Logged) != 1 || accounts[1].Logged[0].Lines != 3 {
		t.Fatalf("%+v, %v", accounts, err)
	}
	room := accounts[1].Logged[0]
	lines, err := d.History(t.Context(), "alice@example.org", room, 0, 2)
	if err != nil || len(lines) != 2 || lines[0].UUID != "u1" || lines[1].Body != "/me waves" || lines[1].At.Unix() != 1795520130 {
		t.Fatalf("%+v, %v", lines, err)
	}
	rest, err := d.History(t.Context(), "alice@example.org", room, lines[1].Row, 2)
	if err != nil || len(rest) != 1 || rest[0].Nick != "al" {
		t.Errorf("%+v, %v", rest, err)
	}
	for limit, want := range map[int]int64{1: 2, 2: 1, 3: 0, 100: 0} {
		if row, err := d.Before(t.Context(), "alice@example.org", room, limit); row != want || err != nil {
			t.Errorf("before the newest %d: %d, %v", limit, row, err)
		}
	}
}

// TestEarlier reads a database of a biboumi that had fewer columns and tables.
func TestEarlier(t *testing.T) {
	old := strings.ReplaceAll(schema, ",address_ TEXT,nick_ TEXT,saslpassword_ TEXT,throttlelimit_ INTEGER", "")
	old = strings.ReplaceAll(old, "CREATE TABLE roster (local TEXT,remote TEXT);", "")
	old = strings.ReplaceAll(old, "CREATE TABLE after_connection_commands_ (id_ INTEGER PRIMARY KEY AUTOINCREMENT,fk_ INTEGER,afterconnectioncommand_ TEXT);", "")
	d := open(t, database(t, old, `INSERT INTO ircserveroptions_ VALUES(1,'alice@example.org','irc.test','','6697;6670','6667','','Alice',1,'','','',20)`))
	accounts, err := d.Accounts(t.Context(), "alice@example.org")
	if err != nil || len(accounts) != 1 {
		t.Fatalf("%v, %v", accounts, err)
	}
	if answers, left := accounts[0].Answers(); answers["realname"] != "Alice" || len(left) > 0 {
		t.Errorf("%v, %v", answers, left)
	}
	if all, err := d.Contacts(t.Context(), "alice@example.org"); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestNotReadable(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(dump, []byte("--\n-- PostgreSQL database dump\n--\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file string
		want error
	}{
		{dump, ErrPostgres}, {"postgresql://localhost/biboumi", ErrPostgres},
		{text, ErrNotBiboumi}, {t.TempDir(), ErrNotBiboumi}, {filepath.Join(t.TempDir(), "absent"), os.ErrNotExist},
		{database(t, "CREATE TABLE other (id INTEGER)"), ErrNotBiboumi},
		{database(t, schema, "ALTER TABLE ircserveroptions_ ADD COLUMN wings_ TEXT"), ErrNewer},
		{database(t, schema, "CREATE TABLE feathers_ (id INTEGER)"), ErrNewer},
	} {
		d, err := Open(t.Context(), c.file, false)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.file, err, c.want)
		}
		if err == nil {
			d.Close()
		}
	}
	d, err := Open(t.Context(), database(t, schema, "CREATE TABLE feathers_ (id INTEGER)"), true)
	if err != nil || fmt.Sprint(d.Unknown()) != "[feathers_]" {
		t.Fatalf("%v", err)
	}
	d.Close()
}

func TestLocked(t *testing.T) {
	file := database(t, schema)
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	if d, err := Open(t.Context(), file, false); !errors.Is(err, ErrLocked) {
		t.Errorf("Open: %v", err)
		if err == nil {
			d.Close()
		}
	}
}

// TestDamaged reads databases in which something was written over: where the schema is, and among the rows.
func TestDamaged(t *testing.T) {
	fill := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 600) INSERT INTO muclogline_ SELECT NULL,'u'||i,'dora@example.org','#chan','irc.test',i,'text','bob' FROM n"
	for _, at := range []int64{4096 + 200, 200} {
		file := database(t, schema, fill)
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		rubbish := make([]byte, min(info.Size()-at, 100_000))
		for i := range rubbish {
			rubbish[i] = 0xa5
		}
		if _, err := f.WriteAt(rubbish, at); err != nil {
			t.Fatal(err)
		}
		f.Close()
		d, err := Open(t.Context(), file, false)
		if err == nil {
			_, err = d.Lines(t.Context())
			if err == nil {
				_, err = d.Accounts(t.Context(), "dora@example.org")
			}
			d.Close()
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("written over from %d: %v", at, err)
		}
	}
}

// TestCutOff reads a database whose program was killed in the middle of a transaction.
func TestCutOff(t *testing.T) {
	file := database(t, schema, people)
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, text := range []string{"PRAGMA cache_size = 1", "PRAGMA cache_spill = 1", "BEGIN",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 600) INSERT INTO muclogline_ SELECT NULL,'v'||i,'dora@example.org','#chan','irc.test',i,'text','bob' FROM n"} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(t.TempDir(), "biboumi.sqlite") // as a crash leaves both files
	for _, end := range []string{"", "-journal"} {
		b, err := os.ReadFile(file + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+end, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Open(t.Context(), copied, false)
	if !errors.Is(err, ErrUnfinished) {
		t.Errorf("Open: %v", err)
	}
	if err == nil {
		d.Close()
	}
}
