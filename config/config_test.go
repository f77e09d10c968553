package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// world is a set of files and variables that a configuration may name.
type world struct {
	files map[string]string
	modes map[string]fs.FileMode
	env   map[string]string
}

func (w world) sources() sources {
	return sources{
		dir: "/etc/gangway",
		readFile: func(path string) ([]byte, fs.FileMode, error) {
			text, ok := w.files[path]
			if !ok {
				return nil, 0, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			mode := fs.FileMode(0o600)
			if m, ok := w.modes[path]; ok {
				mode = m
			}
			return []byte(text), mode, nil
		},
		getenv: func(name string) string { return w.env[name] },
	}
}

func exampleWorld() world {
	return world{
		files: map[string]string{
			"/etc/gangway/secrets/email":     "email-canary\n",
			"/etc/gangway/secrets/twilio":    "twilio-canary\r\n",
			"/etc/gangway/secrets/store.key": strings.Repeat("ab", 32) + "\n",
			"/run/credentials/irc":           "irc-canary",
		},
		env: map[string]string{"GANGWAY_SMS_SECRET": "sms-canary", "CREDENTIALS_DIRECTORY": "/run/credentials"},
	}
}

// minimal is the shortest file without errors and warnings.
const minimal = `[xmpp]
server = "127.0.0.1:5347"
domain = "example.org"
[access]
allow = ["*@example.org"]
[transport.irc]
domain = "irc.example.org"
secret = "irc-canary"
`

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := parse("gangway.toml", []byte(text), exampleWorld().sources())
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return c
}

func TestExample(t *testing.T) {
	c, err := parse("gangway.toml", Example(), exampleWorld().sources())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("the example has warnings: %v", c.Warnings)
	}
	var names []string
	for _, tr := range c.Transports {
		names = append(names, tr.Name+" "+tr.Driver+" "+tr.Domain+" "+tr.Secret.Reveal())
	}
	want := []string{"email email email.example.org email-canary", "irc irc irc.example.org irc-canary",
		"sms sms sms.example.org sms-canary"}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("transports: %q, want %q", names, want)
	}
	if c.XMPP.Server != "127.0.0.1:5347" || c.XMPP.Domain != "example.org" || c.Web.PublicURL != "https://gw.example.org" {
		t.Errorf("not as written: %+v %+v", c.XMPP, c.Web)
	}
}

// What the example shows in comments must be right too.
func TestExampleUncommented(t *testing.T) {
	setting := regexp.MustCompile(`(?m)^# ([a-z_]+ = )`)
	text := setting.ReplaceAllString(string(Example()), "$1")
	if text == string(Example()) {
		t.Fatal("the example has no commented settings")
	}
	c, err := parse("gangway.toml", []byte(text), exampleWorld().sources())
	if err != nil {
		t.Fatal(err)
	}
	if !c.XMPP.TLS || !c.Store.Key.IsSet() {
		t.Errorf("uncommented settings were not read: %+v", c)
	}
}

func TestExampleMentionsEveryKey(t *testing.T) {
	keys := keysOf(reflect.TypeFor[Config]())
	for _, k := range commonKeys() {
		keys = append(keys, "transport."+k)
	}
	if len(keys) < 15 {
		t.Fatalf("only %d keys found: %q", len(keys), keys)
	}
	for _, k := range keys {
		table, key, ok := strings.Cut(k, ".")
		section := string(Example())
		if !ok {
			key = table
		} else if table != "transport" {
			_, section, ok = strings.Cut(section, "["+table+"]")
			section, _, _ = strings.Cut(section, "\n[")
		}
		if !ok && table != key || !regexp.MustCompile(`(?m)^(# )?`+key+` = `).MatchString(section) {
			t.Errorf("the example does not mention %s", k)
		}
	}
}

func TestCommonKeysAreTheFields(t *testing.T) {
	if got := keysOf(reflect.TypeFor[Transport]()); len(got) != len(commonKeys()) {
		t.Fatalf("fields %q, commonKeys %q", got, commonKeys())
	}
	for _, k := range keysOf(reflect.TypeFor[Transport]()) {
		if !strings.Contains(strings.Join(commonKeys(), " "), k) {
			t.Errorf("%s is no common key", k)
		}
	}
}

func TestDefaults(t *testing.T) {
	c := mustParse(t, minimal)
	if c.Store.URL.Reveal() != "sqlite:/var/lib/gangway/gangway.db" || c.Store.Key.IsSet() || c.Log.Level != "info" || c.Log.Format != "text" {
		t.Errorf("defaults: %q %v %+v", c.Store.URL.Reveal(), c.Store.Key.IsSet(), c.Log)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
}

// Every mistake names its line, says what is wrong and what to do.
func TestMistakes(t *testing.T) {
	with := func(extra string) string { return minimal + extra }
	swap := func(old, new string) string { return strings.Replace(minimal, old, new, 1) }
	for name, c := range map[string]struct{ text, want string }{
		"syntax":          {with("x = \n"), "gangway.toml:9: "},
		"duplicate key":   {with("domain = \"a.example.org\"\n"), "gangway.toml:9: domain: is not valid TOML: key domain is already defined"},
		"unknown key":     {swap("server =", "servr ="), `gangway.toml:2: xmpp.servr: unknown key; did you mean "server"?`},
		"swapped letters": {swap("server =", "sevrer ="), `did you mean "server"?`},
		"dash":            {with("[web]\npublic-url = \"https://x\"\n"), `gangway.toml:10: web.public-url: unknown key; did you mean "public_url"?`},
		"unknown table":   {with("[acess]\nallow = []\n"), `gangway.toml:9: acess: unknown key; did you mean "access"?`},
		"wrong table":     {with("[web]\nadmins = []\n"), "gangway.toml:10: web.admins: unknown key; it belongs at the top of the file, before the first [table]"},
		"far off":         {with("[log]\nzzz = 1\n"), "gangway.toml:10: log.zzz: unknown key; known here: format, level"},
		"type":            {swap(`"127.0.0.1:5347"`, "5347"), "gangway.toml:2: xmpp.server: must be text in quotes, not the number 5347"},
		"list type":       {swap(`["*@example.org"]`, `"*@example.org"`), "gangway.toml:5: access.allow: must be a list in [ ], not text"},
		"element type":    {swap(`["*@example.org"]`, "[\n  \"*\",\n  7,\n]"), "gangway.toml:7: access.allow.1: must be text in quotes, not the number 7"},
		"table type":      {"log = 3\n" + minimal, "gangway.toml:1: log: must be a table, not the number 3"},
		"transports type": {"transport = 3\n[xmpp]\nserver = \"127.0.0.1:1\"\n", "gangway.toml:1: transport: must be a table, not the number 3; write [transport.NAME]"},
		"transport type":  {"[transport]\nirc = true\n", "gangway.toml:2: transport.irc: must be a table, not true; write [transport.irc]"},

		"no server":        {swap("server = \"127.0.0.1:5347\"\n", ""), "gangway.toml:1: xmpp.server: is not set"},
		"no xmpp":          {strings.SplitN(minimal, "[access]", 2)[1], "xmpp.server: is not set; write the host server's component port"},
		"server no port":   {swap("127.0.0.1:5347", "127.0.0.1"), `gangway.toml:2: xmpp.server: "127.0.0.1" is not a host and a port`},
		"server port":      {swap("5347", "70000"), "has no port number from 1 to 65535"},
		"server elsewhere": {swap("127.0.0.1:5347", "xmpp.example.org:5347"), "gangway.toml:2: xmpp.server: xmpp.example.org:5347 is another machine and TLS is off"},
		"override elsewhere": {with("server = \"192.0.2.1:5347\"\n"),
			"gangway.toml:9: transport.irc.server: 192.0.2.1:5347 is another machine and TLS is off"},
		"domain":           {swap(`domain = "example.org"`, `domain = "exa mple"`), "gangway.toml:3: xmpp.domain: is not a domain name"},
		"no transport":     {strings.SplitN(minimal, "[transport", 2)[0], "gangway.toml: there is no transport; add a table such as [transport.irc]"},
		"transport name":   {with("[transport.\"Bad/Name\"]\ndomain = \"b.example.org\"\nsecret = \"x\"\n"), `gangway.toml:9: transport."Bad/Name": is no name for a transport`},
		"no domain":        {swap("domain = \"irc.example.org\"\n", ""), "gangway.toml:6: transport.irc.domain: is not set"},
		"no secret":        {swap("secret = \"irc-canary\"\n", ""), "gangway.toml:6: transport.irc.secret: is not set; set it to the component_secret of irc.example.org"},
		"empty secret":     {swap("irc-canary", ""), "gangway.toml:8: transport.irc.secret: is empty"},
		"same domain":      {with("[transport.b]\ndomain = \"IRC.example.org\"\nsecret = \"x\"\n"), "gangway.toml:7: transport.irc.domain: irc.example.org is the domain of [transport.b] too"},
		"host's domain":    {swap("irc.example.org", "example.org"), "gangway.toml:7: transport.irc.domain: example.org is the host server's own domain; use a subdomain"},
		"admin":            {"admins = [\"a@example.org\", \"admin@example.org/phone\"]\n" + minimal, `gangway.toml:1: admins.1: "admin@example.org/phone" has a resource; write a bare JID`},
		"admin domain":     {"admins = [\"example.org\"]\n" + minimal, "has no local part"},
		"allow":            {swap("*@example.org", "*.example.org"), `gangway.toml:5: access.allow.0: "*.example.org" has no local part`},
		"allow star":       {swap("*@example.org", "a*@example.org"), "has a * in it"},
		"listen":           {with("[web]\nlisten = \"8090\"\n"), `gangway.toml:10: web.listen: "8090" is not a host and a port`},
		"same listener":    {with("[web]\nlisten = \"127.0.0.1:80\"\nhooks = \"127.0.0.1:80\"\n"), "gangway.toml:11: web.hooks: is the address of listen too"},
		"public url":       {with("[web]\npublic_url = \"gw.example.org\"\n"), "gangway.toml:10: web.public_url: is not the address of a web server"},
		"public url slash": {with("[web]\npublic_url = \"https://gw.example.org/\"\n"), "ends with a slash"},
		"level":            {with("[log]\nlevel = \"warning\"\n"), `gangway.toml:10: log.level: "warning" is not known; write one of debug`},
		"level typo":       {with("[log]\nlevel = \"inof\"\n"), `did you mean "info"?`},
		"store":            {with("[store]\nurl = \"mysql://u:hidden@h/d\"\n"), "gangway.toml:10: store.url: names no database that is known"},
		"key":              {with("[store]\nkey = \"hidden\"\n"), "gangway.toml:10: store.key: is not 32 bytes in hex; make one with: openssl rand -hex 32"},
		"key type":         {with("[store]\nkey = 7\n"), `gangway.toml:10: store.key: must be text in quotes, { file = "..." }`},

		"no file":       {swap(`"irc-canary"`, `{ file = "/nowhere" }`), "gangway.toml:8: transport.irc.secret: the secret cannot be read from /nowhere: file does not exist; write the secret into it, mode 0600"},
		"relative file": {swap(`"irc-canary"`, `{ file = "none" }`), "from /etc/gangway/none"},
		"no variable":   {swap(`"irc-canary"`, `{ env = "NONE" }`), "the environment variable NONE is not set"},
		"no credential": {swap(`"irc-canary"`, `{ credential = "none" }`), "cannot be read from /run/credentials/none"},
		"credential up": {swap(`"irc-canary"`, `{ credential = "../x" }`), "the name of a credential has no slashes"},
		"empty name":    {swap(`"irc-canary"`, `{ file = "" }`), "file is empty"},
		"two forms":     {swap(`"irc-canary"`, `{ file = "a", env = "b" }`), "gangway.toml:8: transport.irc.secret: must be text in quotes, { file"},
	} {
		_, err := parse("gangway.toml", []byte(c.text), exampleWorld().sources())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got\n\t%v\nwant\n\t%s", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: the error repeats a secret: %v", name, err)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := parse("gangway.toml", []byte("[xmpp]\nservr = 1\ntls = \"yes\"\n[log]\nlevel = \"loud\"\n"), exampleWorld().sources())
	var lines []string
	for _, line := range strings.Split(err.Error(), "\n") {
		lines = append(lines, strings.SplitN(line, " ", 2)[0])
	}
	want := "gangway.toml: gangway.toml:2: gangway.toml:3: gangway.toml:5:"
	if got := strings.Join(lines, " "); got != want {
		t.Errorf("got %s, want %s\n%v", got, want, err)
	}
	var one *Error
	if !errors.As(err, &one) {
		t.Errorf("not made of *Error: %T", err)
	}
}

func TestServerElsewhere(t *testing.T) {
	for _, extra := range []string{"tls = true", "insecure = true"} {
		c := mustParse(t, strings.Replace(minimal, `"127.0.0.1:5347"`, "\"xmpp.example.org:5347\"\n"+extra, 1))
		if c.XMPP.Server != "xmpp.example.org:5347" {
			t.Errorf("%s: %+v", extra, c.XMPP)
		}
	}
	for _, addr := range []string{"localhost:5347", "[::1]:5347", "127.9.9.9:5347", "[::ffff:127.0.0.1]:5347"} {
		mustParse(t, strings.Replace(minimal, "127.0.0.1:5347", addr, 1))
	}
	// With a server for each transport [xmpp] needs none.
	c := mustParse(t, strings.Replace(minimal, "server = \"127.0.0.1:5347\"\n", "", 1)+"server = \"127.0.0.1:5348\"\n")
	if c.Transports[0].Server != "127.0.0.1:5348" {
		t.Errorf("%+v", c.Transports)
	}
}

func TestWarnings(t *testing.T) {
	w := exampleWorld()
	w.modes = map[string]fs.FileMode{"/etc/gangway/secrets/email": 0o644}
	for name, c := range map[string]struct{ text, want string }{
		"nobody":   {strings.Replace(minimal, `"*@example.org"]`, "]\ninvites = false", 1), "nobody but the administrators may register"},
		"world":    {strings.Replace(minimal, `*@`, `*", "x@`, 1), "gangway.toml:5: access.allow: everyone in the world may register"},
		"domain":   {strings.Replace(minimal, "domain = \"example.org\"\n", "", 1), "xmpp.domain: is not set: what is handed"},
		"listen":   {minimal + "[web]\nlisten = \":8090\"\n", "gangway.toml:10: web.listen: :8090 can be reached from other machines"},
		"readable": {strings.Replace(minimal, `"irc-canary"`, `{ file = "secrets/email" }`, 1), "gangway.toml:8: transport.irc.secret: everyone on this machine can read /etc/gangway/secrets/email; chmod 0600"},
	} {
		got, err := parse("gangway.toml", []byte(c.text), w.sources())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0].Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, got.Warnings, c.want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "gangway.toml")
	write := func(name, text string, mode fs.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("gangway.toml", minimal, 0o640)
	write("secret", "from a file\n", 0o600)
	if c, err := Load(path); err != nil || len(c.Warnings) != 0 {
		t.Fatalf("%v, %v", err, c)
	}
	write("gangway.toml", minimal+"[store]\nurl = \"postgres://u:pw@h/d\"\n", 0o644)
	c, err := Load(path)
	if err != nil || len(c.Warnings) != 2 || !strings.Contains(c.Warnings[1].Error(), ":8: transport.irc.secret: the secret stands in a file that everyone") {
		t.Errorf("a readable file with a secret in it: %v, %v", err, c.Warnings)
	}
	write("gangway.toml", strings.Replace(minimal, `"irc-canary"`, `{ file = "secret" }`, 1), 0o644)
	c, err = Load(path)
	if err != nil || len(c.Warnings) != 0 || c.Transports[0].Secret.Reveal() != "from a file" ||
		c.Transports[0].Secret.Path() != filepath.Join(dir, "secret") {
		t.Errorf("%v, %+v", err, c)
	}
	write("gangway.toml", strings.Repeat("#\n", maxFile), 0o644)
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("a huge file: %v", err)
	}
	if _, err := Load(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "none: cannot be read: no such file or directory; make one with \"gangway init\"") {
		t.Errorf("no file: %v", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a directory was read")
	}
}

// A relative path starts at the folder of the file, wherever the program was started.
func TestRelativeStore(t *testing.T) {
	dir := t.TempDir()
	for url, want := range map[string]string{
		"sqlite:gangway.db":       "sqlite:" + filepath.Join(dir, "gangway.db"),
		"sqlite:../data/g.db":     "sqlite:" + filepath.Join(filepath.Dir(dir), "data/g.db"),
		"sqlite:/srv/g.db":        "sqlite:/srv/g.db",
		"postgres://gw@/database": "postgres://gw@/database",
	} {
		path := filepath.Join(dir, "gangway.toml")
		if err := os.WriteFile(path, []byte(minimal+"[store]\nurl = \""+url+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err != nil || c.Store.URL.Reveal() != want {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "gangway.toml"), []byte(minimal+"[store]\nurl = \"sqlite:g.db\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(dir))
	c, err := Load(filepath.Base(dir) + "/gangway.toml")
	if err != nil || !filepath.IsAbs(strings.TrimPrefix(c.Store.URL.Reveal(), "sqlite:")) {
		t.Errorf("a file named by a relative path: %v", err)
	}
}

func TestLimits(t *testing.T) {
	c := mustParse(t, minimal)
	if c.Limits != (Limits{120, 20, 500}) || !c.Access.Invites || c.Access.Approve {
		t.Errorf("defaults: %+v, %+v", c.Limits, c.Access)
	}
	c = mustParse(t, strings.Replace(minimal, "[transport", "approve = true\ninvites = false\n[limits]\nmessages = 0\nregistrations = 3\n[transport", 1))
	if c.Limits != (Limits{0, 3, 500}) || c.Access.Invites || !c.Access.Approve {
		t.Errorf("%+v, %+v", c.Limits, c.Access)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Error(), "nobody to be told who asks") {
		t.Errorf("warnings: %v", c.Warnings)
	}
	_, err := parse("gangway.toml", []byte(minimal+"[limits]\nmessages = -1\n"), exampleWorld().sources())
	if err == nil || !strings.Contains(err.Error(), "limits.messages: -1 is no limit") {
		t.Errorf("%v", err)
	}
	_, err = parse("gangway.toml", []byte(minimal+"[limits]\nmesages = 1\n"), exampleWorld().sources())
	if err == nil || !strings.Contains(err.Error(), `did you mean "messages"?`) {
		t.Errorf("%v", err)
	}
	after := mustParse(t, minimal+"[limits]\nmessages = 5\n")
	if d := Diff(mustParse(t, minimal), after); len(d.Restart) != 0 || len(d.Reload) != 1 {
		t.Errorf("%+v", d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(string(Example()))
	f.Add(minimal)
	f.Add("a.b.c = {d = [{e = 1}, [2]]}\n[[x]]\n[x.y]\n[[x]]\n[[x.z]]\nk = '''\n'''\n")
	f.Add("[transport.irc.secret]\nfile = \"x\"\n")
	f.Add("transport = {irc = {domain = \"a\", secret = {env = \"E\"}}}")
	f.Add("[xmpp]\nserver = { credential = \"irc\" }")
	f.Add("admins = [1979-05-27, 07:32:00, 1e9, nan, 0x1F]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse("gangway.toml", []byte(text), exampleWorld().sources())
		if err != nil {
			if strings.Contains(err.Error(), "-canary") && !strings.Contains(text, "-canary") {
				t.Fatalf("the error repeats a secret: %v", err)
			}
			return
		}
		if c.XMPP.Server == "" && c.Transports[0].Server == "" || len(c.Transports) == 0 {
			t.Fatalf("accepted without what is required: %+v", c)
		}
		if changes := Diff(c, c); !changes.Empty() {
			t.Fatalf("a file differs from itself: %+v", changes)
		}
		var settings struct{}
		_ = c.Transports[0].Decode(&settings)
	})
}
