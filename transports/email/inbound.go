package email

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
)

const writeTimeout = time.Minute

// server is one listener with go-smtp behind its guard.
type server struct {
	t     *transport
	guard *guard
	smtp  *smtp.Server
	log   *slog.Logger
	work  context.Context    // of the mails in hand; outlives Run's context by the grace
	abort context.CancelFunc // of work

	mu     sync.Mutex
	closed bool
	mails  sync.WaitGroup // in Data: go-smtp does not wait for those that came by BDAT
}

func (t *transport) newServer(l net.Listener, lmtp bool) *server {
	s := &server{t: t, log: t.host.Logger()}
	config := t.tls
	if lmtp {
		config = nil
	}
	s.guard = newGuard(l, t.limits, lmtp, config)
	s.guard.domain = t.wire
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.smtp.LMTP = lmtp
	s.smtp.Domain = t.wire
	s.smtp.MaxRecipients = maxRecipients
	s.smtp.MaxMessageBytes = t.settings.MaxSize + 1 // go-smtp refuses a mail of exactly its limit
	s.smtp.MaxLineLength = maxLine
	s.smtp.WriteTimeout = writeTimeout
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ErrorLog = smtpLog{s.log}
	return s
}

// run serves until ctx ends, then finishes the mails in hand, within the grace.
func (s *server) run(ctx context.Context) error {
	s.work, s.abort = context.WithCancel(context.WithoutCancel(ctx))
	defer s.abort()
	var err error
	served := make(chan struct{})
	go func() {
		err = s.smtp.Serve(s.guard)
		close(served)
	}()
	select {
	case <-served:
	case <-ctx.Done():
	}
	s.guard.stop()
	<-served
	ended := make(chan struct{})
	go func() {
		_ = s.smtp.Shutdown(context.WithoutCancel(ctx)) // waits for the connections; nothing else can fail
		s.wait()
		close(ended)
	}()
	grace := time.NewTimer(s.t.limits.grace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
		s.abort()
		s.guard.abort()
		<-ended
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve %s: %w", s.guard.Addr(), err)
	}
	return nil
}

// enter counts a mail in hand; false if there will be no more.
func (s *server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.mails.Add(1)
	return true
}

func (s *server) wait() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.mails.Wait()
}

// smtpLog takes go-smtp's log, which has addresses of hosts and the stacks of panics.
type smtpLog struct{ log *slog.Logger }

// Printf logs one line.
func (l smtpLog) Printf(format string, v ...any) {
	if strings.HasPrefix(format, "panic") {
		l.log.Error("smtp: " + fmt.Sprintf(format, v...))
		return
	}
	l.log.Debug("smtp: " + fmt.Sprintf(format, v...))
}

// Println logs one line.
func (l smtpLog) Println(v ...any) { l.log.Debug("smtp: " + fmt.Sprintln(v...)) }

// inbound is one SMTP or LMTP session: go-smtp makes one for each connection and resets it after each mail.
type inbound struct {
	s    *server
	conn *guardConn
	smtp *smtp.Conn

	mu      sync.Mutex // BDAT runs Data beside the session's other methods
	begun   bool       // by MAIL
	from    string
	rcpts   []recipient
	unknown int      // recipients refused, in all of the connection
	unsure  []string // what the client has when it has heard our last answer; see transport.heard
}

// recipient is one accepted RCPT.
type recipient struct {
	given   string // as go-smtp has it
	account core.Account
	tag     string         // the whole address, if it has a subaddress
	bounce  core.MessageID // not empty: the envelope sender of that mail
}

func (s *server) newSession(c *smtp.Conn) (smtp.Session, error) {
	conn, ok := c.Conn().(*guardConn)
	if !ok {
		return nil, reply(errors.New("connection without a guard"))
	}
	return &inbound{s: s, conn: conn, smtp: c}, nil
}

// Reset forgets the mail. All of it: what is left over would go to the next mail's recipients. go-smtp calls it after
// the answer to a mail, too.
func (i *inbound) Reset() {
	i.conn.endMail()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.begun, i.from, i.rcpts = false, "", nil
}

// Logout is the end of the connection. Where the client ended it with QUIT, it has heard all our answers.
func (i *inbound) Logout() error {
	if !i.conn.broken() {
		i.heard()
	}
	return nil
}

// heard notes that the client goes on after our answer, and so has read it.
func (i *inbound) heard() {
	i.mu.Lock()
	keys := i.unsure
	i.unsure = nil
	i.mu.Unlock()
	i.s.t.heard(i.s.work, keys)
}

// Mail takes the envelope's sender; the empty one is that of bounces.
func (i *inbound) Mail(from string, _ *smtp.MailOptions) error {
	if from != "" {
		j := strings.LastIndexByte(from, '@')
		if j <= 0 || len(from) > 320 || strings.ContainsFunc(from, isIllegal) {
			return reply(refusal(553, smtp.EnhancedCode{5, 1, 7}, "The sender's address is not valid"))
		}
	}
	i.heard()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.begun { // go-smtp would keep the recipients, and answer for them
		return reply(refusal(503, smtp.EnhancedCode{5, 5, 1}, "There is a mail already, say RSET first"))
	}
	i.begun, i.from = true, from
	return nil
}

// Rcpt takes a recipient, or says at once that there is none: nothing is ever bounced later.
func (i *inbound) Rcpt(to string, _ *smtp.RcptOptions) error {
	i.mu.Lock()
	from := i.from
	i.mu.Unlock()
	r, err := i.s.t.recipient(i.s.work, to, from)
	if err != nil {
		return reply(i.refused(err))
	}
	r.given = to
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rcpts = append(i.rcpts, r)
	return nil
}

// refused ends the connection of somebody who tries out names.
func (i *inbound) refused(err error) error {
	if isTemporary(reply(err)) || i.s.guard.lmtp {
		return err
	}
	i.unknown++
	if i.unknown <= i.s.guard.limits.unknown {
		return err
	}
	wait := time.NewTimer(i.s.guard.limits.tarpit)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-i.s.work.Done():
	}
	i.conn.fail(io.EOF)
	return refusal(421, smtp.EnhancedCode{4, 7, 0}, "Too many unknown recipients")
}

// Data takes a mail for all recipients at once.
func (i *inbound) Data(r io.Reader) error {
	all, err := i.receive(r)
	if err != nil {
		return reply(err)
	}
	return reply(combine(all))
}

// LMTPData takes a mail and answers for each recipient by itself (RFC 2033 section 4.2).
func (i *inbound) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	all, err := i.receive(r)
	if err != nil {
		return reply(err)
	}
	for _, o := range all {
		status.SetStatus(o.rcpt.given, reply(o.err))
	}
	return nil
}

// outcome is what became of a mail for one recipient.
type outcome struct {
	rcpt   recipient
	err    error
	unsure string // for transport.heard
}

// combine makes one answer. If only some failed, the sender is to try again: those that have it recognise it, and the
// others are refused at RCPT if they are gone for good.
func combine(all []outcome) error {
	var failed error
	n := 0
	for _, o := range all {
		if o.err == nil {
			continue
		}
		n++
		if failed == nil || isTemporary(reply(o.err)) {
			failed = o.err
		}
	}
	if n > 0 && n < len(all) && !isTemporary(reply(failed)) {
		return core.Wrap(core.Unavailable, "email: receive", errors.New("some recipients failed"))
	}
	return failed
}

// arrival is how the mail at hand came here.
func (i *inbound) arrival(from string) arrival {
	a := arrival{from: from}
	if peer, err := netip.ParseAddrPort(i.conn.RemoteAddr().String()); err == nil && !i.s.guard.lmtp {
		a.ip, a.helo = peer.Addr().Unmap().WithZone(""), i.smtp.Hostname()
	}
	return a
}

// receive reads the mail and delivers it.
func (i *inbound) receive(r io.Reader) ([]outcome, error) {
	_, chunked := r.(*io.PipeReader)
	if !i.s.enter() {
		return nil, refusal(421, smtp.EnhancedCode{4, 3, 2}, "Shutting down")
	}
	defer i.s.mails.Done()
	if !i.conn.beginMail(!chunked) {
		return nil, refusal(421, smtp.EnhancedCode{4, 3, 2}, "Shutting down")
	}
	i.mu.Lock()
	from, rcpts := i.from, i.rcpts
	i.mu.Unlock()
	raw, done, err := i.s.t.memory.readMail(r, i.s.t.settings.MaxSize)
	defer done()
	if err != nil {
		if errors.Is(err, smtp.ErrTooLongLine) {
			return nil, refusal(554, smtp.EnhancedCode{5, 6, 0}, "The message has a line that is too long")
		}
		return nil, err
	}
	if i.conn.failed() {
		return nil, refusal(451, smtp.EnhancedCode{4, 4, 2}, "The message broke off")
	}
	all := i.s.t.deliver(i.s.work, raw, i.arrival(from), rcpts)
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, o := range all {
		if o.err == nil && o.unsure != "" {
			i.unsure = append(i.unsure, o.unsure)
		}
	}
	return all, nil
}
