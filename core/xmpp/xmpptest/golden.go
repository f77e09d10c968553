package xmpptest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gangway/core/xmpp/stream"
)

// Lines are the finished stanzas of an encoder, one on each line.
func Lines(enc *stream.Encoder) string {
	var b strings.Builder
	start := 0
	for _, end := range enc.Ends() {
		b.Write(enc.Bytes()[start:end])
		b.WriteByte('\n')
		start = end
	}
	return b.String()
}

// Golden compares what was written with testdata/NAME.xml of the package under test, which it writes first if update is
// set.
func Golden(t testing.TB, update bool, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".xml")
	if update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
