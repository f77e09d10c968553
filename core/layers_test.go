package core_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layer says what one part of the tree may import from this module. The longest pattern that matches a package
// counts. "..." stands for any packages below.
type layer struct {
	pkg    string
	may    []string
	std    bool // of everything else, the standard library only
	reason string
}

var layers = []layer{
	{pkg: "core", std: true, reason: "the words must outlive every protocol and every library"},
	{pkg: "core/style", std: true, reason: "how text is styled is a word of core that networks read and write"},
	{pkg: "core/store", reason: "the database knows no message"},
	{pkg: "core/outbox", may: []string{"core", "core/store"}, reason: "the queue moves events; what they mean is the gateway's business"},
	{pkg: "core/media", may: []string{"core", "core/store"}, reason: "bytes are kept for whoever asks"},
	{pkg: "core/archive", may: []string{"core", "core/store"}, reason: "the archive serves XMPP and the trace alike"},
	{
		pkg: "core/xmpp/...", may: []string{"core", "core/xmpp/...", "mapping", "core/media", "core/archive"},
		reason: "the XMPP edge knows no network, and no network knows it",
	},
	{pkg: "core/web", may: []string{"core"}, reason: "pages show what the gateway knows, and reach past it to nothing"},
	{pkg: "core/metrics", may: []string{"core"}, reason: "metrics hang on core.Trace"},
	{pkg: "core/transporttest", may: []string{"core"}, reason: "a transport is tested without the rest of the house"},
	{pkg: "mapping", may: []string{"core", "core/store"}, reason: "JIDs and rows, no stanzas"},
	{pkg: "config", reason: "a transport's settings are the transport's business"},
	{pkg: "transports", may: []string{"core", "transports/..."}, reason: "it is the list"},
	{
		pkg: "transports/...", may: []string{"core", "core/style", "SELF/..."},
		reason: "a network knows the doors, how text is styled, and itself: not XMPP, not the mapping, not its neighbours",
	},
	{pkg: "cmd/...", may: []string{"..."}, reason: "wiring"},
	{pkg: "integration/...", may: []string{"..."}, reason: "it plays everybody"},
}

// testsMay are the further imports that tests of a layer may have.
var testsMay = map[string][]string{
	"transports/...": {"core/transporttest"},
	"core/xmpp/...":  {"core/store", "core/outbox", "core/transporttest", "transports/loopback"},
	"mapping":        {"core/outbox"},
	"core/metrics":   {"core/transporttest"},
}

func TestImportPlan(t *testing.T) {
	root := moduleRoot(t)
	for pkg, files := range goFiles(t, root) {
		l, ok := layerOf(pkg)
		if !ok {
			t.Errorf("%s: no layer says where this package belongs", pkg)
			continue
		}
		for _, file := range files {
			for _, imp := range importsOf(t, filepath.Join(root, pkg, file)) {
				if why := l.forbids(pkg, imp, strings.HasSuffix(file, "_test.go")); why != "" {
					t.Errorf("%s/%s imports %s: %s", pkg, file, imp, why)
				}
			}
		}
	}
}

func (l layer) forbids(pkg, imp string, test bool) string {
	own, ours := strings.CutPrefix(imp, "gangway/")
	if !ours {
		if l.std && !test && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
			return "only the standard library, because " + l.reason
		}
		return ""
	}
	may := l.may
	if test {
		may = append(append([]string{pkg}, may...), testsMay[l.pkg]...)
		if l.pkg == "core" {
			may = append(may, "core/transporttest", "transports/loopback")
		}
	}
	if slices.ContainsFunc(may, func(p string) bool { return covers(strings.ReplaceAll(p, "SELF", network(pkg)), own) }) {
		return ""
	}
	return "not in the plan, because " + l.reason
}

// network is the folder of a transport that a package belongs to.
func network(pkg string) string {
	parts := strings.Split(pkg, "/")
	return strings.Join(parts[:min(len(parts), 2)], "/")
}

func layerOf(pkg string) (best layer, ok bool) {
	for _, l := range layers {
		if l.pkg == pkg {
			return l, true
		}
		if covers(l.pkg, pkg) && len(l.pkg) > len(best.pkg) {
			best, ok = l, true
		}
	}
	return best, ok
}

// covers says whether pattern names pkg: itself, or, ending in "...", what is at and below it.
func covers(pattern, pkg string) bool {
	if pattern == "..." || pattern == pkg {
		return true
	}
	prefix, ok := strings.CutSuffix(pattern, "/...")
	return ok && (pkg == prefix || strings.HasPrefix(pkg, prefix+"/"))
}

// TestImportPlanBites plants violations and sees each found.
func TestImportPlanBites(t *testing.T) {
	for _, c := range []struct {
		pkg, imp string
		test     bool
		bad      bool
	}{
		{"core", "encoding/json", false, false},
		{"core", "github.com/google/uuid", false, true},
		{"core", "gangway/mapping", false, true},
		{"core/outbox", "gangway/core/store", false, false},
		{"core/outbox", "gangway/mapping", false, true},
		{"core/xmpp/chat", "gangway/core/xmpp/stream", false, false},
		{"core/xmpp/chat", "gangway/transports/irc", false, true},
		{"core/web", "gangway/core/outbox", false, true},
		{"mapping", "gangway/core/xmpp", false, true},
		{"config", "gangway/core", false, true},
		{"transports/irc", "gangway/core", false, false},
		{"transports/irc", "gangway/transports/irc/sasl", false, false},
		{"transports/irc", "gangway/transports/sms", false, true},
		{"transports/irc", "gangway/core/style", false, false},
		{"transports/irc", "gangway/config", false, true},
		{"transports/irc", "gangway/core/transporttest", false, true},
		{"transports/irc", "gangway/core/transporttest", true, false},
		{"transports/irc/sasl", "gangway/core", false, false},
		{"transports/irc/sasl", "gangway/transports/irc/wire", false, false},
		{"transports/irc/sasl", "gangway/transports/sms/wire", false, true},
		{"cmd/gangway", "gangway/transports", false, false},
	} {
		l, ok := layerOf(c.pkg)
		if !ok {
			t.Errorf("no layer for %s", c.pkg)
			continue
		}
		if why := l.forbids(c.pkg, c.imp, c.test); (why != "") != c.bad {
			t.Errorf("%s importing %s (test: %v): %q", c.pkg, c.imp, c.test, why)
		}
	}
	if _, ok := layerOf("helpers"); ok {
		t.Error("a folder outside the plan has a layer")
	}
}

// moduleRoot is the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// goFiles returns the Go files of each package folder, whatever their build tags.
func goFiles(t *testing.T, root string) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && p != root || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(p, ".go") {
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			files[path.Dir(filepath.ToSlash(rel))] = append(files[path.Dir(filepath.ToSlash(rel))], d.Name())
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("reading the tree: %v (%d packages)", err, len(files))
	}
	return files
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, spec := range f.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, imp)
	}
	return all
}
