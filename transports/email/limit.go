package email

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/auth"
)

// How much mail goes one way or the other. 0: no limit.
type limitSettings struct {
	Incoming   int           `toml:"sender_minute"`  // mails from one sender, a minute
	NewHour    int           `toml:"new_user_hour"`  // mails of a new user, an hour
	NewDay     int           `toml:"new_user_day"`   // and a day
	NewFor     time.Duration `toml:"new_user_for"`   // how long a user is new
	Recipients int           `toml:"new_recipients"` // whom a user never wrote to before, a day
	PairHour   int           `toml:"pair_hour"`      // mails of a user to one recipient, an hour
	SameHour   int           `toml:"same_hour"`      // of them with the same text
}

func defaultLimitSettings() limitSettings {
	return limitSettings{
		Incoming: 60, NewHour: 30, NewDay: 200, NewFor: 7 * 24 * time.Hour, Recipients: 50, PairHour: 60, SameHour: 5,
	}
}

func (t *transport) configureLimits() error {
	s := t.settings.limitSettings
	for key, n := range map[string]int{
		"sender_minute": s.Incoming, "new_user_hour": s.NewHour, "new_user_day": s.NewDay, "new_recipients": s.Recipients,
		"pair_hour": s.PairHour, "same_hour": s.SameHour,
	} {
		if n < 0 || n > 1_000_000 {
			return fmt.Errorf("%s: %d is no limit; write a number from 1 to 1000000, or 0 for none", key, n)
		}
	}
	if s.NewFor < 0 {
		return errors.New("new_user_for must not be negative")
	}
	t.senders, t.pairs.all = core.NewLimiter(), map[core.Ref]*pair{}
	return nil
}

// mayCome counts a mail from a sender: whoever says to be one does not use up what the real one may send. Mail from this
// machine, and from the mail server in front of us, is that server's matter.
func (t *transport) mayCome(l *letter, a arrival) error {
	if !a.ip.IsValid() || a.ip.IsLoopback() {
		return nil
	}
	key := l.from.folded()
	if l.auth.Verdict != auth.Verified {
		key += " " + hostOf(net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.ip, 0))).String()
	}
	if wait := t.senders.Take(key, t.settings.Incoming, time.Minute); wait > 0 {
		return refusal(450, smtp.EnhancedCode{4, 7, 1}, "Too many messages from this sender, please try again in "+core.Within(wait))
	}
	return nil
}

// spent is what an account has sent lately. Each window begins with the first mail in it.
type spent struct {
	Hour       time.Time `json:"hour"`
	InHour     int       `json:"in_hour"`
	Day        time.Time `json:"day"`
	InDay      int       `json:"in_day"`
	Recipients int       `json:"recipients"` // new ones, in the day
}

func (s *spent) begin(now time.Time) {
	if now.Sub(s.Hour) >= time.Hour {
		s.Hour, s.InHour = now, 0
	}
	if now.Sub(s.Day) >= 24*time.Hour {
		s.Day, s.InDay, s.Recipients = now, 0, 0
	}
}

// pair is what an account has sent to one recipient in an hour. It is kept in memory only.
type pair struct {
	hour  time.Time
	mails map[core.MessageID]string // each with its text
}

// pairs are those of all accounts.
type pairs struct {
	mu  sync.Mutex // held for all of a count, so that two mails at once do not share a place
	all map[core.Ref]*pair
}

const (
	maxPairs  = 1 << 15
	keepSpent = 48 * time.Hour
	keepKnown = 400 * 24 * time.Hour // for so long somebody is no new recipient
)

// of is what went from an account to a recipient in the hour.
func (p *pairs) of(ref core.Ref, now time.Time) *pair {
	ref.Peer = core.Address(strings.ToLower(string(ref.Peer)))
	if len(p.all) >= maxPairs {
		for r, one := range p.all {
			if now.Sub(one.hour) >= time.Hour || len(p.all) >= maxPairs {
				delete(p.all, r)
			}
		}
	}
	one := p.all[ref]
	if one == nil || now.Sub(one.hour) >= time.Hour {
		one = &pair{hour: now, mails: map[core.MessageID]string{}}
		p.all[ref] = one
	}
	return one
}

func (p *pair) same(text string) int {
	n := 0
	for _, other := range p.mails {
		if other == text {
			n++
		}
	}
	return n
}

// mayGo counts a mail that an account sends, once however often it is tried. One too many is held: it is tried again when
// there is room, and its writer is told so.
func (s *session) mayGo(ctx context.Context, m *core.Message) error {
	if err := s.t.reopen(ctx, s.account.ID, m.Peer); err != nil {
		return err
	}
	held, err := s.t.count(ctx, s.account, m, s.via == nil)
	if err != nil || held == nil {
		return err
	}
	told := &core.Message{
		Ref: m.Ref, IDs: core.IDs{Remote: core.RemoteID("held " + core.Digest(string(m.ID), held.Text))}, At: s.t.now(), Notice: true, Text: held.Text,
	}
	if err := s.t.host.Deliver(ctx, told); err != nil {
		s.t.host.Logger().Debug("not told of a limit", "account", s.account.ID, "err", err)
	}
	return held
}

// count counts a mail, or says why it is held. ours: it is from the mail domain, for whose name its newer users are
// trusted less.
func (t *transport) count(ctx context.Context, a core.Account, m *core.Message, ours bool) (held *core.Error, err error) {
	t.pairs.mu.Lock()
	defer t.pairs.mu.Unlock()
	now, limits := t.now(), t.settings.limitSettings
	p := t.pairs.of(m.Ref, now)
	if _, counted := p.mails[m.ID]; counted {
		return nil, nil
	}
	text := core.Digest(m.Subject, m.Text)
	if held := limits.between(p, text, now); held != nil {
		return held, nil
	}
	if ours {
		if held, err := t.spend(ctx, a, m.Peer, now); held != nil || err != nil {
			return held, err
		}
	}
	p.mails[m.ID] = text
	return nil, nil
}

// between says whether one more may go from somebody to somebody. Headers alone do not keep two programs from answering
// each other for ever.
func (l limitSettings) between(p *pair, text string, now time.Time) *core.Error {
	left := p.hour.Add(time.Hour).Sub(now)
	switch {
	case over(len(p.mails), l.PairHour):
		return tooMany(left, "You may send %d mails an hour to one address", l.PairHour)
	case over(p.same(text), l.SameHour):
		return tooMany(left, "You may send the same text %d times an hour to one address", l.SameHour)
	}
	return nil
}

// spend counts a mail against what its user may send at all.
func (t *transport) spend(ctx context.Context, a core.Account, to core.Address, now time.Time) (held *core.Error, err error) {
	limits := t.settings.limitSettings
	isNew := !a.Created.IsZero() && now.Sub(a.Created) < limits.NewFor
	spentKey, knownKey := "spent "+string(a.ID), "known "+core.Digest(strings.ToLower(string(to)))+" "+string(a.ID)
	var s spent
	var since time.Time
	known, err := t.note(ctx, knownKey, &since)
	if err != nil || known && !isNew {
		return nil, err
	}
	if _, err := t.note(ctx, spentKey, &s); err != nil {
		return nil, err
	}
	s.begin(now)
	hour, day := s.Hour.Add(time.Hour).Sub(now), s.Day.Add(24*time.Hour).Sub(now)
	switch {
	case isNew && over(s.InHour, limits.NewHour):
		return tooMany(hour, "In your first days here you may send %d mails an hour", limits.NewHour), nil
	case isNew && over(s.InDay, limits.NewDay):
		return tooMany(day, "In your first days here you may send %d mails a day", limits.NewDay), nil
	case !known && over(s.Recipients, limits.Recipients):
		return tooMany(day, "You may write to %d people a day whom you never wrote to before", limits.Recipients), nil
	}
	s.InHour++
	s.InDay++
	if !known {
		s.Recipients++
		if err := t.putNote(ctx, knownKey, now, keepKnown); err != nil {
			return nil, err
		}
	}
	return nil, t.putNote(ctx, spentKey, s, keepSpent)
}

func over(n, limit int) bool { return limit > 0 && n >= limit }

func tooMany(wait time.Duration, format string, n int) *core.Error {
	return &core.Error{Kind: core.OverLimit, Op: "email: limit", After: wait, Text: fmt.Sprintf(
		format+", and this was one too many: it waits, and goes out in %s.", n, core.Within(wait))}
}

// note reads a note of the transport's; false if there is none.
func (t *transport) note(ctx context.Context, key string, into any) (bool, error) {
	b, err := t.host.Notes().Get(ctx, key)
	switch {
	case err != nil && core.KindOf(err) == core.NotFound:
		return false, nil
	case err != nil:
		return false, core.Wrap(core.Unavailable, "email: notes", err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return false, core.Wrap(core.Internal, "email: notes", err)
	}
	return true, nil
}

func (t *transport) putNote(ctx context.Context, key string, value any, keep time.Duration) error {
	b, err := json.Marshal(value)
	if err != nil {
		return core.Wrap(core.Internal, "email: notes", err)
	}
	if err := t.host.Notes().Put(ctx, key, b, keep); err != nil {
		return core.Wrap(core.Unavailable, "email: notes", err)
	}
	return nil
}
