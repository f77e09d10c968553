package edge_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every event that a network, or the gateway itself, can tell is somewhere held to the very stanzas that show it. Who
// adds an event to core adds it here, and says where.
func TestEveryEventIsGolden(t *testing.T) {
	where := map[string]string{ // files, or a test that holds it and what it must speak of
		"Message": "../chat/testdata/message*.xml", "Receipt": "../chat/testdata/receipt*.xml", "Typing": "../chat/testdata/typing*.xml",
		"Reaction": "../chat/testdata/reaction*.xml", "Retraction": "../chat/testdata/retraction*.xml",
		"Presence": "../roster/testdata/presence*.xml", "Status": "../roster/testdata/status*.xml", "Profile": "../vcard/event_test.go core.Profile{",
		"RoomJoined": "../muc/testdata/joined*.xml", "RoomLeft": "../muc/testdata/left*.xml", "MemberChanged": "../muc/testdata/member*.xml",
		"TopicChanged": "../muc/testdata/topic*.xml", "SettingsChanged": "../muc/testdata/settings*.xml", "Invited": "../muc/testdata/invited*.xml",
		"Notice": "edge_test.go core.Notice{",
	}
	source, err := os.ReadFile("../../event.go")
	if err != nil {
		t.Fatal(err)
	}
	events := regexp.MustCompile(`(?m)^func \(\*(\w+)\) event\(\)`).FindAllStringSubmatch(string(source), -1)
	if len(events) < len(where) {
		t.Errorf("%d events are found, %d are known", len(events), len(where))
	}
	for _, e := range events {
		glob, word, test := strings.Cut(where[e[1]], " ")
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Errorf("%s: nothing holds what it looks like", e[1])
			continue
		}
		if text, err := os.ReadFile(files[0]); test && (err != nil || !strings.Contains(string(text), word)) {
			t.Errorf("%s: %s does not speak of it", e[1], files[0])
		}
	}
}
