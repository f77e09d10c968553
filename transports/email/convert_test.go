package email

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

var update = flag.Bool("update", false, "write the golden files anew")

var today = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// golden compares got with a file, or writes it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// TestRead shows each mail of testdata/in as the message a person sees.
func TestRead(t *testing.T) {
	paths, err := filepath.Glob("testdata/in/*.eml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			l := readLetter(raw, "return@example.com", today)
			m := l.message("")
			if len(m.Text) > maxText+1000 {
				t.Errorf("%d bytes of text", len(m.Text))
			}
			if n := len(m.Text); n > 2000 {
				m.Text = m.Text[:100] + " ... " + m.Text[n-100:]
			}
			var files []core.Attachment
			for _, f := range l.files() {
				files = append(files, f.Attachment)
			}
			got, err := json.MarshalIndent(struct {
				ID, Name string
				Message  any
				Files    []core.Attachment `json:",omitempty"`
				Defects  []string
			}{l.id, l.name, m, files, l.mail.Defects}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(path, ".eml")+".json", append(got, '\n'))
		})
	}
}

func TestAutomatic(t *testing.T) {
	for header, want := range map[string]bool{
		"A: b": false, "Auto-Submitted: no": false, "Auto-Submitted: NO (x)": true, "Auto-Submitted: auto-generated": true,
		"Auto-Submitted: auto-replied; x=y": true, "Precedence: bulk": true, "Precedence: first-class": false,
		"List-Id: <x.y>": true, "X-Auto-Response-Suppress: All": true,
		"Content-Type: multipart/report; boundary=x": true,
	} {
		l := readLetter([]byte(header+"\r\n\r\nx"), "bob@example.com", today)
		if got := l.message("").Notice; got != want {
			t.Errorf("%s: %v", header, got)
		}
	}
	if l := readLetter([]byte("A: b\r\n\r\nx"), "", today); !l.automatic {
		t.Error("the empty sender is a program")
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1 KB", 1 << 20: "1.0 MB", 3 << 19: "1.5 MB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestBaseSubject(t *testing.T) {
	for in, want := range map[string]string{
		"Hello": "Hello", "Re: Hello": "Hello", "RE: re: Fwd: Hello": "Hello", "AW[2]: Hello": "Hello", "Re(3): Hello": "Hello",
		"[list] Hello": "Hello", "Re: [list] AW: Hello": "Hello", "[list]": "[list]", "回复：Hello": "Hello", "Hello (fwd)": "Hello",
		"Reply": "Reply", "Re:": "", "": "", "  a   b ": "a b", "Rest: x": "Rest: x", "İ(fwd)": "İ",
	} {
		if got, _ := baseSubject(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if _, answer := baseSubject("[list] Hello"); answer {
		t.Error("a list's tag is no answer")
	}
	if _, answer := baseSubject("Re: Hello"); !answer {
		t.Error("Re: is an answer")
	}
}

func FuzzReadLetter(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		if raw, err := os.ReadFile(path); err == nil && len(raw) < 5000 {
			f.Add(raw, "bob@example.com")
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, returnPath string) {
		l := readLetter(raw, returnPath, today)
		m := l.message("")
		files := l.files()
		for _, f := range files {
			if n := len(f.content()); n > len(raw)+maxText*50 {
				t.Errorf("%d bytes out of %d", n, len(raw))
			}
		}
		if m.Peer == "" || l.id == "" || m.At.IsZero() {
			t.Errorf("a mail without sender, id or date: %+v", m)
		}
		if again, err := parseAddress(string(m.Peer)); err != nil || again.address() != m.Peer {
			t.Errorf("peer %q: %v", m.Peer, err)
		}
		l.looping(domain)
		readReport(l)
	})
}

func TestUrgent(t *testing.T) {
	for fields, want := range map[string]bool{
		"Importance: High\n": true, "Priority: urgent\n": true, "X-Priority: 1 (Highest)\n": true, "X-Priority: 2\n": true,
		"X-Priority: 3\n": false, "Importance: normal\n": false, "": false, "X-Priority: 1\nList-Unsubscribe: <mailto:a@b>\n": false,
	} {
		l := readLetter([]byte("From: bob@example.com\n"+fields+"\nHi"), "bob@example.com", today)
		if got := strings.HasPrefix(l.message("").Text, "(important)\nHi"); got != want {
			t.Errorf("%q: %v", fields, got)
		}
	}
}
