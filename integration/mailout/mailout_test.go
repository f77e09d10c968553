//go:build integration

// Package mailout has other programs read the mails that Gangway writes, which are those of transports/email/testdata/out.
package mailout

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"
)

// mails are the files.
func mails(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../../transports/email/testdata/out/*.eml")
	if err != nil || len(paths) < 15 {
		t.Fatalf("%d mails, %v", len(paths), err)
	}
	return paths
}

// TestEnmime reads each mail without a complaint, its text, and its files under their names.
func TestEnmime(t *testing.T) {
	for _, path := range mails(t) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		e, err := enmime.ReadEnvelope(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, problem := range e.Errors {
			t.Errorf("%s: %v", path, problem)
		}
		name := filepath.Base(path)
		if strings.TrimSpace(e.Text) == "" && name != "file-only.eml" || e.GetHeader("From") == "" {
			t.Errorf("%s: text %q from %q", path, e.Text, e.GetHeader("From"))
		}
		if name != "files.eml" {
			continue
		}
		var files []string
		for _, p := range append(e.Inlines, e.Attachments...) {
			files = append(files, p.FileName)
		}
		if got := strings.Join(files, ", "); !strings.Contains(got, "photo.jpg") || !strings.Contains(got, `naïve "résumé" 漢字`) || !strings.Contains(got, "voice.ogg") {
			t.Errorf("%s: files %s", path, got)
		}
	}
}

// strict reads the mails that it is given with Python's strictest policy, in which every defect is an error, those of
// single headers too, and decodes every part.
const strict = `
import email, email.policy, sys
for path in sys.argv[1:]:
    with open(path, "rb") as f:
        m = email.message_from_binary_file(f, policy=email.policy.strict)
    for part in m.walk():
        defects = list(part.defects)
        for name, value in part.items():
            defects += value.defects
        if not part.is_multipart():
            part.get_content()
        for d in defects:
            print(path + ": " + type(d).__name__ + ": " + str(d))
`

func TestPython(t *testing.T) {
	var plain []string
	for _, path := range mails(t) {
		if filepath.Base(path) != "eai.eml" { // Python's default is a world of seven bits
			plain = append(plain, path)
		}
	}
	out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", append([]string{"-c", strict}, plain...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
