package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"gangway/integration/servers"
	"gangway/integration/twilio"
	"gangway/integration/world"
)

// stage is everything that runs: the servers, the stand-in of Twilio, and the program between them.
type stage struct {
	world  *world.World
	out    *transcript
	binary string

	stopTwilio context.CancelFunc
	running    sync.WaitGroup
	twilioErr  error
}

func newStage(dir, binary string, out *transcript) (*stage, error) {
	w, err := world.New(world.Options{Dir: dir, Binary: binary, Hold: "15s"}) // as by default
	if err != nil {
		return nil, fmt.Errorf("set up the servers: %w", err)
	}
	return &stage{world: w, out: out, binary: binary}, nil
}

// start starts everything, the program last, and tells what is up and what that took. Stop is due even if it fails.
func (s *stage) start(ctx context.Context) error {
	w := s.world
	s.out.title("Starting", "in "+w.Dir)
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stopTwilio = stop
	begin := time.Now()
	s.running.Go(func() { s.twilioErr = w.Twilio.Run(run) })
	if w.Twilio.URL() == "" {
		return errors.New("the stand-in of Twilio cannot listen at " + w.API)
	}
	s.out.started("Twilio stand-in", "API at "+w.API, time.Since(begin))

	var others sync.WaitGroup
	errs := make([]error, 3)
	for i, one := range []struct {
		name, where string
		server      servers.Server
	}{
		{"Prosody", "XMPP at " + w.XMPP.Addr(), w.XMPP},
		{"Postfix and Dovecot", "SMTP at " + w.Mail.SMTPAddr() + ", IMAP at " + w.Mail.IMAPAddr(), w.Mail},
		{"ngIRCd", "IRC at " + w.IRC.Addr(), w.IRC},
	} {
		others.Go(func() { errs[i] = s.begin(ctx, one.name, one.where, one.server) })
	}
	others.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.begin(ctx, "Gangway", "three components of Prosody, health at http://"+w.Web+"/readyz", w.Gangway)
}

func (s *stage) begin(ctx context.Context, name, where string, server servers.Server) error {
	begin := time.Now()
	if err := server.Start(ctx); err != nil {
		return err
	}
	s.out.started(name, where, time.Since(begin))
	return nil
}

// stop stops what runs, the program first.
func (s *stage) stop() error {
	err := s.world.Stop()
	if s.stopTwilio == nil {
		return err
	}
	s.stopTwilio()
	s.running.Wait()
	return errors.Join(err, s.twilioErr)
}

// stay tells how to log in and keeps everything up until ctx ends, which is no error, or until a server ends, which is.
func (s *stage) stay(ctx context.Context) error {
	s.out.write(guide(s.world, s.binary))
	ctx, stop := context.WithCancel(ctx)
	s.running.Go(func() { s.answerPhones(ctx) })
	defer stop()
	w := s.world
	ended := servers.Server(w.Gangway)
	select {
	case <-ctx.Done():
		s.out.title("Stopping", "and removing "+w.Dir)
		return nil
	case <-w.Gangway.Done():
	case <-w.XMPP.Done():
		ended = w.XMPP
	case <-w.Mail.Postfix.Done():
		ended = w.Mail.Postfix
	case <-w.Mail.Dovecot.Done():
		ended = w.Mail.Dovecot
	case <-w.IRC.Done():
		ended = w.IRC
	}
	log, err := servers.Tail(ended.Logs()[0])
	return errors.Join(fmt.Errorf("%s ended by itself\n--- the end of %s\n%s", ended.Name(), filepath.Base(ended.Logs()[0]), log), err)
}

// answerPhones has every phone answer each text message that it gets, so that a visitor sees both directions.
func (s *stage) answerPhones(ctx context.Context) {
	answered := map[string]bool{}
	for _, m := range s.world.Twilio.Messages() { // the conversation has seen to those
		answered[m.SID] = true
	}
	for {
		m, err := s.world.Twilio.WaitMessage(ctx, func(m *twilio.Message) bool {
			return !answered[m.SID] && m.Direction == twilio.DirectionAPI && m.Status == twilio.Delivered
		})
		if err != nil {
			return
		}
		answered[m.SID] = true
		if _, err := s.world.Twilio.Inbound(ctx, m.To, m.From, "You wrote: "+m.Body); err != nil && ctx.Err() == nil {
			s.out.write("The phone " + m.To + " could not answer: " + err.Error() + "\n")
		}
	}
}
