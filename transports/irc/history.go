package irc

import (
	"context"
	"errors"
	"strconv"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/wire"
)

const (
	pageSize   = 100              // messages asked for at once, where the network allows that many
	widePage   = 1000             // where a page of those says nothing new
	maxPages   = 200              // of one gap: more than an archive keeps of a room
	fillWithin = 10 * time.Second // how long who enters a room waits for its history to be whole
)

// gap is what a room's history lacks, while it is being filled. Since was called before JOIN; the first page is asked
// for when the network has let us in.
type gap struct {
	pages
	known  bool         // the host has said where it begins
	first  bool         // nowhere: the account has never been there, and the latest is asked for
	behind []core.Event // of which so much has been told
	due    time.Time    // when who waits for the room waits no longer
	inside bool         // all else about the room is known: it is shown when the gap is filled
}

// fills says whether the network can tell what was said before.
func (l *link) fills() bool {
	return l.caps&capHistory != 0 && l.caps&capBatch != 0 || l.plays()
}

// plays says whether it is a ZNC that can, rather than a network.
func (l *link) plays() bool { return l.caps&capPlayback != 0 && l.caps&capBatch != 0 }

// afterMarks asks the host where the histories of rooms end, and then has them entered: nothing new of a room may be
// delivered before. It is a chore, since the host takes its time.
func (s *session) afterMarks(rooms []*room, enter func()) {
	l := s.link
	for _, r := range rooms {
		r.gap = &gap{due: time.Now().Add(fillWithin)}
	}
	s.chore(func(ctx context.Context) error {
		found := make([]*gap, len(rooms))
		var failed error
		chosen := s.choices(ctx)
		for i, r := range rooms {
			if chosen.of(core.ChoiceRecord, r.addr) == "false" {
				continue // there is no history that could have a gap
			}
			mark, err := s.t.host.History().Since(ctx, s.ref(r.addr))
			switch {
			case err == nil:
				found[i] = &gap{known: true, pages: pages{mark: mark}}
			case core.KindOf(err) == core.NotFound:
				found[i] = &gap{known: true, first: true}
			case core.KindOf(err) != core.Unsupported:
				failed = errors.Join(failed, err)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.link != l {
			return failed
		}
		for i, r := range rooms {
			s.found(r, found[i])
		}
		enter()
		return failed
	})
}

// found is the answer of the host to where a room's history ends; nil: it has none. A bouncer may have put us into the
// room meanwhile.
func (s *session) found(r *room, g *gap) {
	was := r.gap
	if was == nil || was.known {
		return // left, or left and entered again
	}
	if r.gap = g; g != nil {
		g.due, g.inside = was.due, was.inside
	}
	switch {
	case r.gap != nil && r.admitted:
		s.fill(r)
	case r.gap == nil && was.inside:
		s.entered(r)
	}
}

// admitted is the network letting us into a room, because we have asked or because a bouncer was there all the time.
func (s *session) admitted(r *room, asked bool) {
	r.admitted = true
	switch {
	case r.gap != nil && r.gap.known && r.gap.turned == 0:
		s.fill(r)
	case r.gap != nil || asked || !s.link.fills():
	case r.unasked: // its gap is filled when somebody enters
		ref := s.ref(r.addr)
		s.chore(func(ctx context.Context) error {
			_, err := s.t.host.History().Since(ctx, ref)
			if err != nil && (core.KindOf(err) == core.NotFound || core.KindOf(err) == core.Unsupported) {
				return nil
			}
			return err
		})
	default:
		s.afterMarks([]*room{r}, func() {})
	}
}

// revealed shows a room that a bouncer has put us in to the first who enters it: with its history.
func (s *session) revealed(r *room) {
	r.stage = joining
	s.afterMarks([]*room{r}, func() {})
	r.gap.inside = true
}

// fill begins to fill a gap: the network has let us in.
func (s *session) fill(r *room) {
	g := r.gap
	if g.due = time.Now().Add(fillWithin); g.first {
		ref := s.ref(r.addr)
		s.chore(func(ctx context.Context) error { return s.t.host.History().Begin(ctx, ref) })
		g.left = s.t.cfg.Backfill
	}
	if g.first && g.left == 0 {
		s.filled(s.link, r, g, nil)
		return
	}
	s.nextPage(r)
}

// nextPage asks for the next page of what a room lacks.
func (s *session) nextPage(r *room) {
	g, l := r.gap, s.link
	g.begin()
	ask := &request{targets: [2]string{s.fold.Fold(r.name)}, done: func(e *core.Error) { s.filled(l, r, g, e) }}
	if l.caps&capHistory == 0 {
		ask.verb = "PRIVMSG"
		s.enqueue(&command{Command: wire.Privmsg("*playback", "Play "+r.name+" "+seconds(g.mark.At)), ask: ask})
		return
	}
	ask.verb = "CHATHISTORY"
	if g.asked = s.pageSize(g.wide); g.first {
		g.asked = min(g.asked, g.left)
	}
	s.enqueue(&command{Command: g.request(r.name, g.first, s.selector(&g.pages)), ask: ask})
}

// pageSize is how many lines are asked for at once.
func (s *session) pageSize(wide bool) int {
	usual := pageSize
	if wide {
		usual = widePage
	}
	if most := s.link.support.History; most > 0 {
		return min(most, usual)
	}
	return usual
}

// selector is where the next page begins as CHATHISTORY writes it: by name, where the network goes by names.
func (s *session) selector(p *pages) string {
	if p.mark.Remote != "" && !p.byTime && !s.link.support.NoMsgID {
		return "msgid=" + string(p.mark.Remote)
	}
	return "timestamp=" + p.mark.At.UTC().Format(serverTime)
}

// seconds is a moment as ZNC writes it.
func seconds(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

// onHistory is a page of what was said: in a room whose gap is being filled, or in private.
func (s *session) onHistory(b *batch) {
	r := s.room(b.target())
	switch {
	case r == nil && !isChannel(b.target()):
		s.privately(b)
	case r != nil && r.gap != nil && r.gap.known:
		lines := r.gap.take(b.lines)
		if most := s.t.cfg.Backfill; r.gap.first && s.link.caps&capHistory == 0 && len(lines) > most {
			lines = lines[len(lines)-most:] // a bouncer tells all that it has
		}
		r.gap.page = append(r.gap.page, s.past(r, lines)...)
	case r != nil:
		s.replayed(r, s.past(r, b.lines))
	}
}

// replayed is what a bouncer tells unasked of a room (ZNC when somebody attaches to it).
func (s *session) replayed(r *room, page []core.Event) {
	ref := s.ref(r.addr)
	s.chore(func(ctx context.Context) error {
		history := s.t.host.History()
		_, err := history.Since(ctx, ref)
		switch {
		case err != nil && core.KindOf(err) == core.Unsupported:
			return s.deliverAll(ctx, page)
		case err != nil && core.KindOf(err) != core.NotFound:
			return err
		}
		if err := history.Fill(ctx, ref, page); err != nil {
			return err
		}
		return history.Filled(ctx, ref)
	})
}

// deliverAll tells what was said in the past where no history is kept.
func (s *session) deliverAll(ctx context.Context, page []core.Event) error {
	for _, e := range page {
		if err := s.t.host.Deliver(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// past are the events that lines of history tell.
func (s *session) past(r *room, lines []*irc.Message) []core.Event {
	var all []core.Event
	for _, m := range lines {
		switch m.Command {
		case "PRIVMSG", "NOTICE":
			text, other := s.readable(m)
			if sign, _ := s.link.support.Channel(m.Param(0)); sign != "" {
				text = "[" + sign + "] " + text
			}
			if !other && text != "" && len(m.Params) > 1 {
				all = append(all, s.inRoomSaid(m, r, r.addr, text))
			}
		case "REDACT":
			if e := s.redacted(m, r, r.addr); e != nil {
				all = append(all, e)
			}
		case "TAGMSG":
			if e := s.reaction(m, r, r.addr); e != nil {
				all = append(all, e)
			}
		}
	}
	return all
}

// filled goes on when a page has come, or an error instead.
func (s *session) filled(l *link, r *room, g *gap, e *core.Error) {
	switch {
	case r.gap != g:
		return
	case s.link != l || l.closed:
		r.gap = nil // it stays open for the next connection
		return
	case e != nil && g.mark.Remote != "" && !g.byTime && e.Kind != core.Uncertain:
		g.byTime = true // perhaps it has forgotten the name
		s.nextPage(r)
		return
	case e != nil && e.Kind == core.Uncertain:
		s.close(r)
		return
	}
	page := g.page
	more := e == nil && l.caps&capHistory != 0 && g.advance(g.first)
	if g.first { // the later pages are the earlier lines: all is kept at once, the oldest first
		page = append(page, g.behind...)
		if g.behind = page; more {
			s.nextPage(r)
			return
		}
	}
	s.later(func(ctx context.Context) error { return s.keepPage(ctx, l, r, page, more) })
}

// keepPage gives a page to the host, and goes on from there.
func (s *session) keepPage(ctx context.Context, l *link, r *room, page []core.Event, more bool) error {
	history, ref := s.t.host.History(), s.ref(r.addr)
	s.mu.Lock()
	keep := history.Fill
	if r.gap != nil && r.gap.first {
		keep = history.Recall
	}
	s.mu.Unlock()
	var err error
	if len(page) > 0 {
		err = keep(ctx, ref, page)
	}
	if err == nil && !more {
		err = history.Filled(ctx, ref)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.gap == nil || s.link != l:
	case err == nil && more:
		s.nextPage(r)
	default:
		s.close(r)
	}
	return err
}

// close ends the filling of a gap, and shows the room if that was all that it waited for.
func (s *session) close(r *room) {
	g := r.gap
	if r.gap = nil; g != nil && g.inside {
		s.entered(r)
	}
}

// waits says whether a room is not shown yet, for its history.
func (r *room) waits() bool {
	if r.gap == nil {
		return false
	}
	r.gap.inside = true
	return true
}

// fillDue shows the rooms whose histories have taken too long, and returns when the next will have.
func (s *session) fillDue(now time.Time) (next time.Time) {
	for _, r := range s.rooms {
		if r.gap == nil || !r.gap.inside {
			continue
		}
		if !now.Before(r.gap.due) {
			r.gap.inside = false
			s.shownAnyway(r)
			continue
		}
		if next.IsZero() || r.gap.due.Before(next) {
			next = r.gap.due
		}
	}
	return next
}

// shownAnyway shows a room whose gap is still being filled.
func (s *session) shownAnyway(r *room) {
	g := r.gap
	r.gap = nil
	s.entered(r)
	r.gap = g
}
