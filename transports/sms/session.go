package sms

import (
	"context"

	"gangway/core"
)

// session is one person's number. It has no connection: the provider is spoken to by requests.
type session struct {
	t       *transport
	account core.Account
}

// Run says that the number is there, and waits.
func (s *session) Run(ctx context.Context) error {
	if err := s.t.host.Deliver(ctx, &core.Status{Ref: core.Ref{Account: s.account.ID}, Link: core.Connected}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
