package irc

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/wire"
)

const (
	pageSize   = 100              // messages asked for at once, where the network allows that many
	maxPages   = 50               // of one gap: what is further back is left to the network
	fillWithin = 10 * time.Second // how long who enters a room waits for its history to be whole
)

// gap is what a room's history lacks, while it is being filled. Since was called before JOIN; the first page is asked
// for when the network has let us in.
type gap struct {
	mark   core.Mark
	pages  int
	page   []core.Event // the last one asked for
	full   bool         // there may be another
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
	s.chore(func(ctx context.Context) error {
		marks := make([]*core.Mark, len(rooms))
		var failed error
		chosen := s.choices(ctx)
		for i, r := range rooms {
			if chosen.of(core.ChoiceRecord, r.addr) == "false" {
				continue // there is no history that could have a gap
			}
			mark, err := s.t.host.History().Since(ctx, s.ref(r.addr))
			switch {
			case err == nil:
				marks[i] = &mark
			case core.KindOf(err) != core.NotFound && core.KindOf(err) != core.Unsupported:
				failed = errors.Join(failed, err)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.link != l {
			return failed
		}
		for i, r := range rooms {
			if r.gap = nil; marks[i] != nil {
				r.gap = &gap{mark: *marks[i]}
			}
		}
		enter()
		return failed
	})
}

// fill asks for the next page of what a room lacks.
func (s *session) fill(r *room) {
	g, l := r.gap, s.link
	if g.pages++; g.due.IsZero() {
		g.due = time.Now().Add(fillWithin)
	}
	g.page, g.full = nil, false
	ask := &request{targets: [2]string{s.fold.Fold(r.name)}, done: func(e *core.Error) { s.filled(l, r, g, e) }}
	if l.caps&capHistory == 0 {
		ask.verb = "PRIVMSG"
		s.enqueue(&command{Command: wire.Privmsg("*playback", "Play "+r.name+" "+seconds(g.mark.At)), ask: ask})
		return
	}
	ask.verb = "CHATHISTORY"
	s.enqueue(&command{Command: wire.HistoryAfter(r.name, selector(g.mark), s.pageSize()), ask: ask})
}

func (s *session) pageSize() int {
	if most := s.link.support.History; most > 0 {
		return min(most, pageSize)
	}
	return pageSize
}

// selector is a mark as CHATHISTORY writes it.
func selector(m core.Mark) string {
	if m.Remote != "" {
		return "msgid=" + string(m.Remote)
	}
	return "timestamp=" + m.At.UTC().Format(serverTime)
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
	case r != nil && r.gap != nil:
		r.gap.page = append(r.gap.page, s.past(r, b.lines)...)
		r.gap.full = b.kind == batchHistory && (len(b.lines) >= s.pageSize() || b.cut)
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
	case e != nil && g.mark.Remote != "" && e.Kind != core.Uncertain:
		g.mark.Remote = "" // perhaps it has forgotten the name
		s.fill(r)
		return
	case e != nil && e.Kind == core.Uncertain:
		s.close(r)
		return
	}
	page := g.page
	more := e == nil && g.full && len(page) > 0 && g.pages < maxPages && g.advance(page)
	s.chore(func(ctx context.Context) error { return s.keepPage(ctx, l, r, page, more) })
}

// advance moves the mark behind a page; false if it does not move, and asking again would bring the same.
func (g *gap) advance(page []core.Event) bool {
	was := g.mark
	for _, e := range slices.Backward(page) {
		if m, ok := e.(*core.Message); ok {
			g.mark = core.Mark{Remote: m.Remote, At: m.At}
			break
		}
	}
	return g.mark != was
}

// keepPage gives a page to the host, and goes on from there.
func (s *session) keepPage(ctx context.Context, l *link, r *room, page []core.Event, more bool) error {
	history, ref := s.t.host.History(), s.ref(r.addr)
	var err error
	if len(page) > 0 {
		err = history.Fill(ctx, ref, page)
	}
	if err == nil && !more {
		err = history.Filled(ctx, ref)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.gap == nil || s.link != l:
	case err == nil && more:
		s.fill(r)
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
	if r.gap == nil || r.gap.due.IsZero() {
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
