package irc

import (
	"context"

	"gangway/core"
)

// ref is a conversation of this account.
func (s *session) ref(peer core.Address) core.Ref { return core.Ref{Account: s.account.ID, Peer: peer} }

// emit queues an event, which flush delivers.
func (s *session) emit(e core.Event) { s.events = append(s.events, e) }

// notice tells the user something from a room or, with no peer, from the network.
func (s *session) notice(peer core.Address, text string) {
	if text == "" {
		return
	}
	s.emit(&core.Message{Ref: s.ref(peer), Room: isChannel(string(peer)), Notice: true, Text: text})
}

// flush delivers what has been queued, also when ctx has ended: the edge outlives the sessions.
func (s *session) flush(ctx context.Context) {
	s.mu.Lock()
	nothing := len(s.events)+len(s.chores) == 0
	s.mu.Unlock()
	if nothing {
		return
	}
	ctx = context.WithoutCancel(ctx)
	s.delivering.Lock()
	defer s.delivering.Unlock()
	for {
		s.doChores(ctx)
		s.mu.Lock()
		events, over := s.events, len(s.events)+len(s.chores) == 0
		s.events = nil
		s.mu.Unlock()
		if over {
			return
		}
		for _, e := range events {
			if err := s.t.host.Deliver(ctx, e); err != nil {
				s.t.log.Warn("event not delivered", "account", s.account.ID, "err", err)
			}
		}
	}
}

// dispatch has the courier deliver what a call of the edge has queued, so that the call need not wait for it.
func (s *session) dispatch(ctx context.Context) {
	if len(s.events)+len(s.chores) == 0 || s.courier != nil {
		return
	}
	ended := make(chan struct{})
	s.courier = ended
	go func() {
		defer close(ended)
		for {
			s.flush(ctx)
			s.mu.Lock()
			if len(s.events)+len(s.chores) == 0 {
				s.courier = nil
				s.mu.Unlock()
				return
			}
			s.mu.Unlock()
		}
	}()
}

// awaitCourier returns when no courier is on its way.
func (s *session) awaitCourier() {
	for {
		s.mu.Lock()
		ended := s.courier
		s.mu.Unlock()
		if ended == nil {
			return
		}
		<-ended
	}
}
