package mailbox

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// scripted is a server that can be made to do anything. By itself it is a plain one with an inbox.
type scripted struct {
	mu       sync.Mutex
	greeting string
	caps     string
	validity uint32
	next     uint32 // UIDNEXT, if not what the mails say; 1: is not said
	modseq   uint64
	mails    []*scriptedMail
	log      []string // commands of all connections
	conns    int
	said     atomic.Int64 // bytes that were read of what it wrote

	// answer may answer a command itself: true. What it does not is answered as usual. It is called without the lock.
	answer func(p *peer, tag, command string) bool
}

type scriptedMail struct {
	uid    uint32
	raw    string
	flags  string
	date   time.Time
	modseq uint64
}

// peer is the server's end of a connection.
type peer struct {
	net.Conn
	s  *scripted
	in *bufio.Reader
}

// counted counts what was written.
type counted struct {
	net.Conn
	n *atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.n.Add(int64(n))
	return n, err
}

func (p *peer) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.Conn, format+"\r\n", args...)
}

// scriptedServer serves w's connections.
func (w *world) scriptedServer(s *scripted) { w.scriptedServerOn(w.pipes, s) }

func (w *world) scriptedServerOn(pipes *pipes, s *scripted) {
	if s.greeting == "" {
		s.greeting = "* OK hello"
	}
	if s.caps == "" {
		s.caps = "IMAP4rev1 IDLE"
	}
	s.validity = max(s.validity, 1)
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := pipes.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns++
			s.mu.Unlock()
			conns.Go(func() {
				defer c.Close()
				s.serve(&peer{Conn: &counted{Conn: c, n: &s.said}, s: s, in: bufio.NewReader(c)})
			})
		}
	})
	w.t.Cleanup(func() {
		pipes.Close()
		conns.Wait()
	})
}

func (s *scripted) serve(p *peer) {
	p.say("%s", s.greeting)
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return
		}
		tag, command, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		s.mu.Lock()
		s.log = append(s.log, command)
		answer := s.answer
		s.mu.Unlock()
		if answer != nil && answer(p, tag, command) {
			continue
		}
		s.usual(p, tag, command)
	}
}

func (s *scripted) usual(p *peer, tag, command string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch verb, args, _ := strings.Cut(command, " "); {
	case verb == "CAPABILITY":
		p.say("* CAPABILITY %s", s.caps)
	case verb == "LIST":
		p.say(`* LIST () "/" INBOX`)
	case verb == "SELECT":
		s.selected(p)
	case command == "IDLE":
		p.say("+ idling")
		s.mu.Unlock()
		line, err := p.in.ReadString('\n')
		s.mu.Lock()
		if err != nil || line != "DONE\r\n" {
			p.say("%s BAD %q is not DONE", tag, line)
			return
		}
	case strings.HasPrefix(command, "UID FETCH "):
		s.fetch(p, strings.TrimPrefix(command, "UID FETCH "))
	case verb == "FETCH":
		s.fetchLast(p, args)
	case strings.HasPrefix(command, "UID SEARCH"):
		uids := ""
		for _, m := range s.mails {
			uids += fmt.Sprintf(" %d", m.uid)
		}
		p.say("* SEARCH%s", uids)
	}
	p.say("%s OK done", tag)
}

func (s *scripted) selected(p *peer) {
	next := s.next
	if n := len(s.mails); next == 0 {
		next = 1
		if n > 0 {
			next = s.mails[n-1].uid + 1
		}
	}
	p.say("* %d EXISTS\r\n* OK [UIDVALIDITY %d] valid", len(s.mails), s.validity)
	if s.next != 1 {
		p.say("* OK [UIDNEXT %d] next", next)
	}
	if s.modseq > 0 {
		p.say("* OK [HIGHESTMODSEQ %d] highest", s.modseq)
	}
}

func (s *scripted) fetchLast(p *peer, args string) {
	seq, items, _ := strings.Cut(args, " ")
	n, _ := strconv.Atoi(seq)
	if n > 0 && n <= len(s.mails) {
		s.show(p, n, s.mails[n-1], items)
	}
}

func (s *scripted) fetch(p *peer, args string) {
	set, items, _ := strings.Cut(args, " ")
	_, since, _ := strings.Cut(items, "CHANGEDSINCE ")
	modseq, _ := strconv.ParseUint(strings.TrimRight(since, ")"), 10, 64)
	for i, m := range s.mails {
		if inSet(set, m.uid, i == len(s.mails)-1) && m.modseq >= modseq {
			s.show(p, i+1, m, items)
		}
	}
}

func inSet(set string, uid uint32, last bool) bool {
	for r := range strings.SplitSeq(set, ",") {
		from, to, ranged := strings.Cut(r, ":")
		a, _ := strconv.ParseUint(from, 10, 32)
		b, _ := strconv.ParseUint(to, 10, 32)
		switch {
		case !ranged:
			b = a
		case to == "*" && last:
			return true
		case to == "*":
			b = 1 << 32
		}
		if uint64(uid) >= a && uint64(uid) <= b {
			return true
		}
	}
	return false
}

func (s *scripted) show(p *peer, seq int, m *scriptedMail, items string) {
	out := fmt.Sprintf("* %d FETCH (UID %d RFC822.SIZE %d FLAGS (%s) INTERNALDATE %q", seq, m.uid, len(m.raw), m.flags,
		m.date.Format("02-Jan-2006 15:04:05 -0700"))
	if strings.Contains(items, "MODSEQ") {
		out += fmt.Sprintf(" MODSEQ (%d)", m.modseq)
	}
	header, _, _ := strings.Cut(m.raw, "\r\n\r\n")
	header += "\r\n\r\n"
	switch {
	case strings.Contains(items, "HEADER.FIELDS"):
		out += fmt.Sprintf(" BODY[HEADER.FIELDS (MESSAGE-ID DATE)] {%d}\r\n%s", len(header), header)
	case strings.Contains(items, "BODY.PEEK[HEADER]"):
		out += fmt.Sprintf(" BODY[HEADER]<0> {%d}\r\n%s", len(header), header)
	case strings.Contains(items, "BODY.PEEK[]"):
		out += fmt.Sprintf(" BODY[] {%d}\r\n%s", len(m.raw), m.raw)
	}
	_, _ = io.WriteString(p.Conn, out+")\r\n")
}

// add puts a mail into the inbox, in silence.
func (s *scripted) add(uid uint32, id string) *scriptedMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modseq += min(s.modseq, 1)
	m := &scriptedMail{uid: uid, raw: mailText(id, "text of "+id), date: time.Now(), modseq: s.modseq}
	s.mails = append(s.mails, m)
	return m
}

// asked says how many commands began like that.
func (s *scripted) asked(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.log {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}
