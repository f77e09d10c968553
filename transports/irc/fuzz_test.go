package irc

import (
	"bytes"
	"testing"
)

// FuzzSession feeds a session whatever a network may send, before, while and after it lets it in.
func FuzzSession(f *testing.F) {
	f.Add(true, []byte(":alice!a@b JOIN #chan\n:x 353 alice = #chan :@alice bob\n:x 366 alice #chan :End\n"))
	f.Add(true, []byte(":x 005 a PREFIX=(ohv)@%+ CASEMAPPING=rfc7613 LINELEN=1 MODES=0\n:alice NICK :\n:alice NICK bob\n:bob MODE #chan +o-o x\n"))
	f.Add(true, []byte("@label=1 FAIL\n:x BATCH +a labeled-response\n:x BATCH -a\n:alice JOIN #a\n:alice JOIN #b\n:x 433\n:x 470 a #chan #b\n"))
	f.Add(true, []byte(":alice!a@b PRIVMSG #chan :x\n:x PRIVMSG alice :\x01PING\n:x NOTICE alice :[#chan] y\n:alice!a@b KICK #chan alice\n:x PONG gangway-1\n"))
	f.Add(true, []byte(":x CAP * LS :sasl echo-message\n:x CAP * ACK :sasl -echo-message\nAUTHENTICATE +\n:x 904 * :no\n:x CAP x DEL :sasl\n"))
	f.Add(false, []byte(":x CAP * LS :sasl=SCRAM-SHA-256 sts=port=6697,duration=1 batch soju.im/bouncer-networks\n:x CAP * ACK :sasl batch\nAUTHENTICATE cj0=\n:x 908 a PLAIN :x\n:x 904\n:x 433\n:x 437 a b\n"))
	f.Add(true, []byte(":x CAP a ACK :message-tags batch draft/multiline draft/chathistory draft/message-redaction draft/read-marker labeled-response echo-message\n"+
		":alice!a@b JOIN #chan\n:x 366 alice #chan :End\n@+typing=active :bob!b@c TAGMSG #chan\n@+draft/react=x;+draft/reply=m :bob!b@c TAGMSG #chan\n"+
		":x BATCH +1 draft/multiline #chan\n@batch=1 :bob!b@c PRIVMSG #chan :one\n@batch=1;draft/multiline-concat :bob!b@c PRIVMSG #chan two\n:x BATCH -1\n:bob!b@c REDACT #chan m :x\n:x MARKREAD #chan timestamp=2026-01-01T00:00:00Z\n"))
	f.Add(true, []byte(":x 005 a MONITOR=5 WHOX CHATHISTORY=5 CLIENTTAGDENY=*,-typing :x\n:x 730 a :b!c@d,e\n:x 731 a :b\n:x 303 a :b\n:x 354 a 152 #chan u h n H* acc\n"+
		":x BATCH +h chathistory #chan\n@batch=h :b!c@d PRIVMSG #chan x\n:x BATCH -h\n:x CHATHISTORY TARGETS bob 2026-01-01T00:00:00Z\n:x BOUNCER NETWORK 1 name=x;y\n:x WARN\n:x NOTE A B :c\n"))
	f.Fuzz(func(t *testing.T, registered bool, lines []byte) {
		s, stop := offline(t)
		defer stop()
		if registered {
			s.handle(t.Context(), []byte(":irc.test 001 alice :Hi"))
			s.handle(t.Context(), []byte(":irc.test 376 alice :End"))
		}
		for line := range bytes.Lines(lines) {
			s.handle(t.Context(), bytes.TrimRight(line, "\r\n"))
		}
		s.flush(t.Context())
	})
}
