package irc

import (
	"bytes"
	"reflect"
	"strconv"
	"testing"
	"time"
)

// FuzzHistory feeds a session that has asked for the history of a room and for private messages whatever a network may
// answer, in batches of every kind. What is kept of open batches, and what is asked for, stays within its bounds.
func FuzzHistory(f *testing.F) {
	f.Add([]byte("@label=1 :x BATCH +t draft/chathistory-targets\n@batch=t CHATHISTORY TARGETS bob 2026-01-01T00:00:00.000Z\n:x BATCH -t\n" +
		"@label=2 :x BATCH +h chathistory bob\n@batch=h;time=2026-01-01T00:00:00.000Z;msgid=1 :bob!b@c PRIVMSG alice :hi\n:x BATCH -h\n"))
	f.Add([]byte("@label=3 :x BATCH +h chathistory #chan\n@batch=h :x BATCH +m draft/multiline #chan\n@batch=m :b!c@d PRIVMSG #chan :one\n" +
		"@batch=m;draft/multiline-concat :b!c@d PRIVMSG #chan :two\n@batch=h :x BATCH -m\n@batch=h;time=2026-01-01T00:00:00.000Z :b!c@d REDACT #chan 1\n:x BATCH -h\n"))
	f.Add([]byte("@label=1 FAIL CHATHISTORY INVALID_PARAMS TARGETS :no\n@label=2 FAIL CHATHISTORY MESSAGE_ERROR LATEST #chan :no\n:x BATCH +p znc.in/playback #chan\n@batch=p :b!c@d PRIVMSG #chan :x\n:x BATCH -p\n"))
	f.Add([]byte(":x BATCH +a chathistory #chan\n@batch=a :x BATCH +a chathistory #chan\n:x BATCH -a\n:x BATCH -a\n:x BATCH\n:x BATCH +\n:x BATCH -\n"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		s, stop := offline(t)
		defer stop()
		s.have.At = time.Now().Add(-time.Hour)
		take := func(line string) {
			s.handle(t.Context(), []byte(line))
			s.pull()
			s.flush(t.Context())
		}
		take(":x CAP * ACK :message-tags batch server-time draft/multiline draft/chathistory labeled-response draft/message-redaction")
		for _, line := range []string{"001 alice :Hi", "005 alice CHATHISTORY=5 :x", "376 alice :End"} {
			take(":irc.test " + line)
		}
		take(":alice!a@b JOIN #chan")
		take(":irc.test 366 alice #chan :End")
		for line := range bytes.Lines(lines) {
			take(string(bytes.TrimRight(line, "\r\n")))
			l := s.link
			if len(l.batches) > maxBatches || l.batched > maxBatchLines || l.batchBytes > maxBatchBytes+len(lines) {
				t.Fatalf("%d batches, %d lines, %d bytes", len(l.batches), l.batched, l.batchBytes)
			}
			if len(l.asked)+len(s.queue) > 20 {
				t.Fatalf("%d questions for %d lines", len(l.asked)+len(s.queue), bytes.Count(lines, []byte("\n")))
			}
		}
		if r := s.room("#chan"); r != nil && len(r.members) > len(lines) {
			t.Error("people out of nothing")
		}
	})
}

// pull has what is queued be written, as far as a network is concerned.
func (s *session) pull() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.queue {
		if c.ask == nil {
			continue
		}
		if s.link.caps&capLabels != 0 {
			s.link.labels++
			c.ask.label = strconv.FormatUint(s.link.labels, 10)
		}
		c.ask.written = time.Now()
		s.link.asked = append(s.link.asked, c.ask)
	}
	s.queue = nil
}

// FuzzSeen reads notes of private messages, whatever has become of them.
func FuzzSeen(f *testing.F) {
	f.Add([]byte(`{"at":"2026-01-02T03:04:05Z","lines":[{"id":"m1","said":7,"at":1767323045000},{"said":8,"at":-1,"own":true}]}`))
	f.Add([]byte("2026-01-02T03:04:05.000Z"))
	f.Fuzz(func(t *testing.T, note []byte) {
		s := decodeSeen(note)
		one := newSeenLine("", "bob", false, "x", time.Now(), false)
		if s.has(one) && len(s.Lines) == 0 {
			t.Error("known out of nothing")
		}
		s.add(one)
		s.settle()
		if len(s.Lines) > maxSeen || s.At.Before(time.Now().Add(-skew)) {
			t.Errorf("%d lines, up to %v", len(s.Lines), s.At)
		}
		again, err := s.encode()
		if err != nil {
			return // a year that JSON does not write
		}
		if back := decodeSeen(again); len(back.Lines) != len(s.Lines) || !reflect.DeepEqual(back.At.UTC(), s.At.UTC()) {
			t.Errorf("%s read back as %+v", again, back)
		}
	})
}
