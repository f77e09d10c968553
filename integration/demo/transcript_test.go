package demo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFigure(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "          ",
		1500 * time.Microsecond:  "    1.5 ms",
		43 * time.Millisecond:    "     43 ms",
		12345 * time.Millisecond: "  12345 ms",
	} {
		if got := figure(d); got != want {
			t.Errorf("figure(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("word ", 30)
	for text, want := range map[string]string{
		"short":           "short",
		"one\n\ntwo":      "one\n" + margin + hang + "two",
		"first\nsecond\n": "first\n" + margin + hang + "second",
	} {
		if got := wrap(text); got != want {
			t.Errorf("wrap(%q) = %q, want %q", text, got, want)
		}
	}
	for i, line := range strings.Split(wrap(long), "\n") {
		if i == 0 {
			line = margin + line
		}
		if len(line) > 80 || strings.HasSuffix(line, " ") {
			t.Errorf("line %d: %q", i, line)
		}
	}
	if got := strings.Join(strings.Fields(wrap(long)), " "); got != strings.TrimSpace(long) {
		t.Errorf("words are lost: %q", got)
	}
}

// TestNoColour: what is not a terminal gets no escape sequence, not even one that a network sent.
func TestNoColour(t *testing.T) {
	var out bytes.Buffer
	tr := newTranscript(&out)
	tr.title("E-mail", "more")
	tr.say(said{who: "Mallory", text: "\x1b[2Jgone\x07", route: "a -> b", took: time.Millisecond})
	tr.note("[receipt]", "", 0)
	tr.done(row{scene: "E-mail", step: "it works", took: time.Millisecond})
	tr.done(row{scene: "E-mail", step: "it fails", err: errors.New("no")})
	tr.table(time.Second)
	if strings.ContainsAny(out.String(), "\x1b\x07") {
		t.Errorf("control characters in %q", out.String())
	}
	for _, want := range []string{"Mallory: \uFFFD[2Jgone", "2 steps, 1 failed", "it fails  FAILED"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestMissing(t *testing.T) {
	root := t.TempDir()
	err := missingIn(root)
	if err == nil || !strings.Contains(err.Error(), "prosody, ngircd, postfix, dovecot") ||
		!strings.Contains(err.Error(), "sh integration/packages.sh") {
		t.Fatalf("nothing installed: %v", err)
	}
	for _, name := range []string{"usr/bin/prosody", "usr/sbin/ngircd", "usr/sbin/postfix", "usr/sbin/dovecot"} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if err := missingIn(root); err != nil {
		t.Fatalf("all installed: %v", err)
	}
}

// TestTempDir: where only its owner may enter, the servers' users could not.
func TestTempDir(t *testing.T) {
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", closed)
	dir, err := tempDir()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if filepath.Dir(dir) != "/tmp" {
		t.Errorf("made in %s", filepath.Dir(dir))
	}
	if !traversable(dir) {
		t.Errorf("%s is closed to others", dir)
	}
}
