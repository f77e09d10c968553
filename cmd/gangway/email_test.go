package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestRenderShowsProgress: on a terminal a bar counts the messages of a long run, and nothing of it gets between the
// lines of the output.
func TestRenderShowsProgress(t *testing.T) {
	dir := t.TempDir()
	for i := range 30 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte("Subject: x\n\ny"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	run := func(bar bool, args ...string) (out, log string) {
		var o, l bytes.Buffer
		r := &renderRun{out: &o, log: &l, in: strings.NewReader("\nhi"), progress: &progress{out: &l, unit: "messages", bar: bar}}
		if err := r.all(cmd, args); err != nil {
			t.Fatal(err)
		}
		return o.String(), l.String()
	}
	out, log := run(true, dir)
	if !strings.Contains(log, "100% of 30 messages") || !strings.HasSuffix(log, "\r\x1b[K") {
		t.Errorf("the bar: %q", log)
	}
	if strings.Count(out, "\n") != 30 || strings.Contains(out, "\r") {
		t.Errorf("the output: %q", out)
	}
	for _, quiet := range []struct {
		bar  bool
		args []string
	}{{false, []string{dir}}, {true, []string{"-"}}} {
		if _, log := run(quiet.bar, quiet.args...); log != "" {
			t.Errorf("%+v: %q", quiet, log)
		}
	}
}

// TestRenderReadsOnlySoMuch: of a file that is larger than any mail the beginning is read.
func TestRenderReadsOnlySoMuch(t *testing.T) {
	r := &renderRun{in: strings.NewReader(strings.Repeat("words\n", 1+maxMail/6))}
	whole, err := r.read(renderStdin)
	if whole || err != nil || len(r.raw) != maxMail {
		t.Errorf("%v, %v, %d bytes", whole, err, len(r.raw))
	}
	r.in = strings.NewReader("short")
	if whole, err := r.read(renderStdin); !whole || err != nil || string(r.raw) != "short" {
		t.Errorf("%v, %v, %q", whole, err, r.raw)
	}
}
