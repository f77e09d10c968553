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
