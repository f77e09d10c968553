package irc

import (
	"encoding/json"
	"hash/fnv"
	"time"
)

const (
	maxSeen   = 500             // lines that are remembered
	seenLasts = 2 * skew        // how long before the end
	sameTime  = 2 * time.Second // by how much two tellings of a line without a name may differ
)

// seen is which private messages the user has: all up to a moment, and of the time around it and since each by itself.
type seen struct {
	At    time.Time  `json:"at"`             // zero: not known
	Begin time.Time  `json:"begin,omitzero"` // of what is remembered, if that was too much
	Lines []seenLine `json:"lines,omitempty"`
}

// seenLine is one message.
type seenLine struct {
	ID   string `json:"id,omitempty"`  // the network's name
	Said uint64 `json:"said"`          // a hash of who said what to whom
	At   int64  `json:"at"`            // in milliseconds
	Own  bool   `json:"own,omitempty"` // by our own clock
	used bool   // told again, since again was called: the next that is the same is another
}

func newSeenLine(id, peer string, mine bool, text string, at time.Time, own bool) seenLine {
	h := fnv.New64a()
	who := "\x00"
	if mine {
		who = "\x01"
	}
	_, _ = h.Write([]byte(peer + who + text)) // a hash does not fail
	return seenLine{ID: id, Said: h.Sum64(), At: at.UnixMilli(), Own: own}
}

// decodeSeen reads the note. In earlier versions it was a moment.
func decodeSeen(note []byte) (s seen) {
	if err := json.Unmarshal(note, &s); err != nil {
		s = seen{}
		if at, err := time.Parse(serverTime, string(note)); err == nil {
			s.At = at
		}
	}
	return s
}

func (s *seen) encode() ([]byte, error) { return json.Marshal(s) }

// from is after what the network is to be asked: early enough for other clocks.
func (s *seen) from() time.Time {
	from := s.At.Add(-skew)
	if s.Begin.After(from) {
		from = s.Begin
	}
	return from
}

// add notes a line.
func (s *seen) add(one seenLine) {
	if s.Lines = append(s.Lines, one); len(s.Lines) > maxSeen {
		n := len(s.Lines) - maxSeen
		if at := time.UnixMilli(s.Lines[n-1].At).UTC(); at.After(s.Begin) {
			s.Begin = at
		}
		s.Lines = append([]seenLine(nil), s.Lines[n:]...)
	}
}

// settle says that the user has all up to the newest line, and forgets what is long before that.
func (s *seen) settle() {
	for _, one := range s.Lines {
		if at := time.UnixMilli(one.At).UTC(); at.After(s.At) {
			s.At = at
		}
	}
	oldest := s.At.Add(-seenLasts).UnixMilli()
	kept := s.Lines[:0]
	for _, one := range s.Lines {
		if one.At >= oldest {
			kept = append(kept, one)
		}
	}
	s.Lines = kept
}

// again begins a telling.
func (s *seen) again() {
	for i := range s.Lines {
		s.Lines[i].used = false
	}
}

// has says whether a line that the network tells is one that the user has: by its name or, where one of the two tellings
// has none, by who said what and when. Each stands for one that is told.
func (s *seen) has(one seenLine) bool {
	for i := range s.Lines {
		if old := &s.Lines[i]; old.ID != "" && old.ID == one.ID {
			old.used = true
			return true
		}
	}
	for i := range s.Lines {
		old := &s.Lines[i]
		differ := sameTime
		if old.Own {
			differ = skew
		}
		if old.used || old.ID != "" && one.ID != "" || old.Said != one.Said ||
			time.Duration(max(old.At-one.At, one.At-old.At))*time.Millisecond > differ {
			continue
		}
		old.used = true
		return true
	}
	return false
}
