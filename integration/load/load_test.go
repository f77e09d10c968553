//go:build integration

package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestMain is the child of a measurement, too, which starts its own program again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		main()
		return
	}
	os.Exit(m.Run())
}

// smoke is a measurement with hardly anything to measure, and the rows that it prints, each with a number behind its name.
type smoke struct {
	name string
	args []string
	rows []string
}

func smokes() []smoke {
	return []smoke{
		{"link", []string{"-count", "200", "-runs", "1", "-senders", "2"}, []string{"gangway", "mellium"}},
		{"queue", []string{"-turn", "20ms", "-rounds", "1", "-backlog", "100"}, []string{"durable enqueue, +1 producers", "latency at", "drain"}},
		{"idle", []string{"-sessions", "2", "-rest", "10ms"}, []string{"plain", "TLS"}},
		{"presence", []string{"-users", "3", "-contacts", "2", "-members", "5", "-idle", "300ms"}, []string{"redundant"}},
		{"mail", []string{"-brief", "-count", "8", "-rounds", "1", "-sessions", "2"}, []string{"smtp-sink", "Postfix", "gangway, LMTP", "gangway, SMTP"}},
		{"render", []string{"-each", "1ms", "-patience", "5ms"}, []string{"text and HTML", "an ordinary mail"}},
		{"irc", []string{"-only", "delivered", "-count", "50", "-alone"}, []string{"1 users", "10 users", "50 users"}},
		{"irc", []string{"-only", "sent", "-sent", "5", "-alone"}, []string{"plain network", "with echo-message"}},
		{"irc", []string{"-only", "trip", "-seconds", "1"}, []string{"p50", "p99"}},
		{"irc", []string{"-only", "memory,crowd", "-users", "1,3", "-rest", "10ms", "-alone"}, []string{"(?s)each alone.*\n +1", "(?s)all in one channel.*\n +3"}},
		{"irc", []string{"-only", "loss", "-rounds", "1", "-alone"}, []string{"XMPP -> IRC, SIGTERM +gangway", "IRC -> XMPP, kill -9 +gangway"}},
		{"irc", []string{"-rejoin", "-users", "4", "-rooms", "2", "-share", "2", "-rest", "10ms"}, []string{"channels joined again", "connections tried"}},
	}
}

// TestSmoke runs every measurement, so that a broken one is noticed before it is needed. What it measures here is nothing
// to go by.
func TestSmoke(t *testing.T) {
	dir, err := os.MkdirTemp("", "load") // t.TempDir is too long for the name of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	gangway, err := buildGangway(dir)
	if err != nil {
		t.Fatal(err)
	}
	run := map[string]measurement{}
	for _, m := range measurements() {
		run[m.name] = m
	}
	for _, s := range smokes() {
		t.Run(fmt.Sprint(s.name, s.args), func(t *testing.T) {
			t.Parallel()
			args := s.args
			switch s.name {
			case "irc":
				args = append([]string{"-gangway", gangway, "-dir", dir}, args...)
			case "mail": // Postfix's daemons are other users, who cannot pass through dir
				args = append([]string{"-gangway", gangway}, args...)
			}
			var out bytes.Buffer
			if err := run[s.name].run(args, &out); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			for _, row := range s.rows {
				if !regexp.MustCompile(row + `[^\n]*[0-9]`).Match(out.Bytes()) {
					t.Errorf("no row %q with a number in\n%s", row, &out)
				}
			}
		})
	}
	for name := range run {
		if !tried(name) {
			t.Errorf("nothing tries %s", name)
		}
	}
}

func tried(name string) bool {
	for _, s := range smokes() {
		if s.name == name {
			return true
		}
	}
	return false
}
