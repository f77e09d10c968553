//go:build integration

package mailcollections

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jhillyerd/enmime/v2"

	"gangway/transports/email"
)

var update = flag.Bool("update", false, "write the golden files anew")

// cache is where the collections stay between runs.
const cache = "../../.cache/mail"

// least is how many messages each collection has, at least.
var least = map[string]int{"enmime": 90, "python": 45, "kmime": 13}

// collections are the paths of all messages, by COLLECTION/NAME.
func collections(t *testing.T) map[string]string {
	t.Helper()
	if out, err := exec.Command("sh", "fetch.sh", cache).CombinedOutput(); err != nil {
		t.Fatalf("fetch.sh: %v\n%s", err, out)
	}
	all := map[string]string{}
	for name, n := range least {
		paths, err := filepath.Glob(filepath.Join(cache, name, "*.eml"))
		if err != nil || len(paths) < n {
			t.Fatalf("%s: %d messages, %v", name, len(paths), err)
		}
		for _, path := range paths {
			all[name+"/"+strings.TrimSuffix(filepath.Base(path), ".eml")] = path
		}
	}
	return all
}

// TestCollections runs the program over all messages at once: each is a line, and none a failure.
func TestCollections(t *testing.T) {
	all := collections(t)
	program := filepath.Join(t.TempDir(), "gangway")
	if out, err := exec.Command("go", "build", "-o", program, "gangway/cmd/gangway").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	args := []string{"email", "render"}
	for _, path := range all {
		args = append(args, path)
	}
	slices.Sort(args[2:])
	var out, log bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil || log.Len() > 0 {
		t.Fatalf("%v\n%s", err, log.String())
	}
	n := 0
	lines := bufio.NewScanner(&out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct {
			File, Text  string
			Attachments []any
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil || r.File != args[2+n] || r.Text == "" && len(r.Attachments) == 0 {
			t.Errorf("%s: %v\n%s", args[2+n], err, lines.Bytes())
		}
		n++
	}
	if n != len(all) {
		t.Errorf("%d of %d messages", n, len(all))
	}
	t.Logf("%d messages", n)
}

// today is long after all messages.
var today = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// differ are messages in which the two readers find different words, and why ours are right.
var differ = map[string]string{
	"enmime/mail-mime-alternative":                   "of alternatives one is shown",
	"enmime/parts-badboundary":                       "of alternatives one is shown",
	"enmime/parts-empty-header":                      "of alternatives one is shown",
	"enmime/parts-missing-ctype":                     "of alternatives one is shown",
	"enmime/mail-mime-bad-content-transfer-encoding": "of alternatives one is shown",
	"enmime/parts-chardet-fail":                      "it is a picture",
	"enmime/parts-chardet-detection":                 "the other guesses a wrong charset",
}

// TestTextIsShown asks another reader for the words of each message: all of them are in our text, or in what comes as
// a file.
func TestTextIsShown(t *testing.T) {
	shown := 0
	for name, path := range collections(t) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r := email.Render(raw, "", today)
		if !utf8.ValidString(r.Text) {
			t.Errorf("%s: not UTF-8", name)
		}
		theirs, err := enmime.ReadEnvelope(bytes.NewReader(raw))
		if err != nil {
			t.Logf("%s: enmime cannot read it: %v", name, err)
			continue
		}
		missing := absent(theirs.Text[:min(len(theirs.Text), 16<<10)], r.Text) // of long texts the rest is in a file
		if len(missing) == 0 {
			shown++
			continue
		}
		if why, ok := differ[name]; ok {
			t.Logf("%s: %s", name, why)
			continue
		}
		t.Errorf("%s: without %q\n%.300s", name, missing, r.Text)
	}
	t.Logf("%d messages with all words of the other reader", shown)
}

// absent are the words of a text that are not in another.
func absent(text, in string) []string {
	words := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == utf8.RuneError })
	}
	have := map[string]bool{}
	for _, w := range words(in) {
		have[w] = true
	}
	var missing []string
	for _, w := range words(text) {
		if len(w) > 2 && !have[w] {
			missing = append(missing, w)
		}
	}
	return missing
}

// TestGolden compares what is shown of chosen messages, those that have a file in testdata, with what it was.
func TestGolden(t *testing.T) {
	all := collections(t)
	goldens, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(goldens) < 60 {
		t.Fatalf("%d golden files, %v", len(goldens), err)
	}
	for _, golden := range goldens {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(golden), "testdata/"), ".json")
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(all[name])
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			enc := json.NewEncoder(&got)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(email.Render(raw, "", today)); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want)
			}
		})
	}
}
