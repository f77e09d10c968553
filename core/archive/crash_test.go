package archive

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// network is one that remembers what is said in the lobby, and tells it again.
type network struct {
	named bool
	said  []core.Archived
}

// talk has something said, about one thing in a few the same as just before, in the same second.
func (n *network) talk(r *rand.Rand) core.Archived {
	i := len(n.said)
	text := fmt.Sprint("text ", i-r.IntN(2))
	e := saidAt(1000-float64(i)/150, fmt.Sprintf("m%04d", i), []string{"dave", "eve"}[r.IntN(2)], text)
	if n.named {
		e.Event.(*core.Message).Remote = core.RemoteID(fmt.Sprint("r", i))
	}
	n.said = append(n.said, e)
	return e
}

// after is a page of what was said after a mark, as CHATHISTORY AFTER gives it: by name, or from a moment on.
func (n *network) after(m core.Mark, most int) (page []core.Archived) {
	found := m.Remote == ""
	for _, e := range n.said {
		if found && (m.Remote != "" || !e.At.Before(m.At)) && len(page) < most {
			page = append(page, e)
		}
		found = found || e.Event.(*core.Message).Remote == m.Remote
	}
	return page
}

// TestKilled: whenever the program is killed, also while it fills a gap, and however much it hears meanwhile: once a
// gap has been filled nothing is missing and nothing is there twice.
func TestKilled(t *testing.T) {
	for _, named := range []bool{true, false} {
		random := rand.New(rand.NewPCG(3, 7))
		url := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
		net := &network{named: named}
		for life := range 7 {
			live(t, url, func(a *Archive) { alive(t, a, net, random, life == 6) })
		}
	}
}

// live runs an archive that is then killed: what waits to be written is lost.
func live(t *testing.T, url string, fn func(*Archive)) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), db, Config{Linger: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	a.now = func() time.Time { return noon }
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- a.Run(ctx) }()
	fn(a)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-ended
}

// alive is one life of a session: it enters the room, fills the gap, unless it is killed before, and listens on.
func alive(t *testing.T, a *Archive, net *network, random *rand.Rand, last bool) {
	t.Helper()
	for range random.IntN(40) { // nobody listens
		net.talk(random)
	}
	mark, err := a.Since(t.Context(), lobby)
	fresh := err != nil && core.KindOf(err) == core.NotFound
	if err != nil && !fresh {
		t.Fatal(err)
	}
	if fresh {
		mark = core.Mark{At: noon.AddDate(-1, 0, 0)}
	}
	hear := func() { // once it is in the room
		e := net.talk(random)
		a.now = func() time.Time { return e.At }
		if err := a.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		a.now = func() time.Time { return noon }
	}
	if !fresh { // an empty room is filled before anything is heard, or not at all
		hear()
	}
	const size = 10
	for page := net.after(mark, size); ; page = net.after(mark, size) {
		if _, err := a.Fill(t.Context(), lobby, page); err != nil {
			t.Fatal(err)
		}
		if !last && random.IntN(6) == 0 {
			return // killed
		}
		if len(page) < size {
			break
		}
		end := page[len(page)-1]
		if mark = (core.Mark{Remote: end.Event.(*core.Message).Remote, At: end.At}); mark.Remote == "" {
			mark.At = mark.At.Add(time.Millisecond)
		}
	}
	if err := a.Filled(t.Context(), lobby); err != nil {
		t.Fatal(err)
	}
	wholeHistory(t, a, net)
	for range random.IntN(20) {
		hear()
	}
}

// wholeHistory compares what is kept with what was said.
func wholeHistory(t *testing.T, a *Archive, net *network) {
	t.Helper()
	all, err := a.Last(t.Context(), lobby, len(net.said)+100, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	text := func(e core.Archived) string {
		m := e.Event.(*core.Message)
		return fmt.Sprintf("%s %s: %s", e.At.Format("04:05.000"), m.Author, m.Text)
	}
	for i, e := range net.said {
		if i >= len(all) || text(all[i]) != text(e) {
			t.Fatalf("kept %d of %d; named %v: number %d is not %s but\n%v", len(all), len(net.said), net.named, i, text(e), texts(all[max(0, min(i, len(all))-3):min(len(all), i+3)], text))
		}
	}
	if len(all) > len(net.said) {
		t.Fatalf("kept %d of %d", len(all), len(net.said))
	}
}

func texts(all []core.Archived, text func(core.Archived) string) string {
	var lines []string
	for _, e := range all {
		lines = append(lines, text(e))
	}
	return strings.Join(lines, "\n")
}
