package ledger_test

import (
	"strings"
	"testing"

	"gangway/integration/ledger"
)

func TestClasses(t *testing.T) {
	l := ledger.New("a", "b")
	for _, id := range []string{"once", "twice", "renamed", "refused", "both", "dead", "silent", "unseen"} {
		l.Sent("a", id)
	}
	l.Arrived("once", "n")
	for range 2 {
		l.Arrived("twice", "n")
	}
	l.Arrived("renamed", "n1")
	l.Arrived("renamed", "n2")
	l.Refused("refused")
	l.Refused("both")
	l.Arrived("both", "n")
	l.Accepted("dead")
	l.Dead("dead")
	l.Accepted("silent")
	for c, want := range map[ledger.Class]string{
		ledger.Once: "once", ledger.Repeated: "twice", ledger.Renamed: "renamed", ledger.Refused: "refused",
		ledger.Contradict: "both", ledger.DeadLetter: "dead", ledger.Silent: "silent", ledger.Unseen: "unseen",
	} {
		if got := strings.Join(l.Of(c), " "); got != want || l.Count("a", c) != 1 || l.Count("b", c) != 0 {
			t.Errorf("%v: %q, want %q", c, got, want)
		}
	}
	if got := strings.Join(l.Open(), " "); got != "dead silent unseen" {
		t.Errorf("open: %q", got)
	}
	if l.Arrived("never sent", "x") {
		t.Error("a message that was never sent has arrived")
	}
	var b strings.Builder
	if err := l.Print(&b); err != nil || !strings.Contains(b.String(), "SILENT") || strings.Count(b.String(), "\n") != 4 {
		t.Errorf("table:\n%s", b.String())
	}
}
