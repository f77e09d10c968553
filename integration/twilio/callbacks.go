package twilio

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// play carries a message through its script and makes the callbacks. The initial status has none.
func (s *Server) play(ctx context.Context, r *record) {
	if !s.awaitSchedule(ctx, r) {
		return
	}
	var held []webhook
	for _, step := range r.script.Steps {
		if !pause(ctx, step.Wait) {
			return
		}
		cb, ok := s.advance(r, step)
		switch {
		case !ok:
			return
		case step.Silent || r.script.Off:
		case r.script.Reversed:
			held = append(held, cb)
		default:
			s.callBack(ctx, r, cb)
		}
	}
	for _, cb := range slices.Backward(held) {
		s.callBack(ctx, r, cb)
	}
	if r.script.Conflict != "" && !r.script.Off {
		s.callBack(ctx, r, s.conflicting(r))
	}
}

func (s *Server) callBack(ctx context.Context, r *record, cb webhook) {
	s.post(ctx, cb)
	if r.script.Duplicate {
		s.post(ctx, cb)
	}
}

// awaitSchedule reports whether the message is due; false if it was canceled, or ctx ended.
func (s *Server) awaitSchedule(ctx context.Context, r *record) bool {
	s.mu.Lock()
	if r.sendAt.IsZero() {
		s.mu.Unlock()
		return true
	}
	if r.Status == Canceled {
		s.mu.Unlock()
		return false
	}
	ctx, r.cancel = context.WithCancel(ctx)
	defer r.cancel()
	wait := r.sendAt.Sub(s.now())
	s.mu.Unlock()
	return pause(ctx, wait)
}

// pause reports whether d went by before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// advance takes one step and returns its callback; false if the message has been canceled or deleted.
func (s *Server) advance(r *record, step Step) (webhook, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Deleted || r.Status == Canceled {
		return webhook{}, false
	}
	now := s.now()
	if r.From == "" {
		r.From = s.services[r.Service].Numbers[0]
	}
	if r.Segments == 0 {
		r.Segments = outboundSegments(&r.Message)
	}
	r.Status, r.ErrorCode, r.Updated = step.Status, step.Code, now
	switch step.Status {
	case Sent, Delivered, Undelivered, Read:
		if r.Sent.IsZero() {
			r.Sent = now
		}
		if r.Final() {
			r.Price = price(r.Segments)
		}
	}
	s.notify()
	return s.callback(r), true
}

func price(segments int) string {
	return fmt.Sprintf("-%d.%05d", segments*unitPrice/100000, segments*unitPrice%100000)
}

// callback is the status callback for the message as it is now. It needs mu.
func (s *Server) callback(r *record) webhook {
	form := url.Values{
		"MessageSid":    {r.SID},
		"SmsSid":        {r.SID},
		"AccountSid":    {s.cfg.AccountSID},
		"MessageStatus": {r.Status},
		"SmsStatus":     {r.Status},
		"To":            {r.To},
		"From":          {r.From},
		"ApiVersion":    {apiVersion},
	}
	if r.Service != "" {
		form.Set("MessagingServiceSid", r.Service)
	}
	if r.ErrorCode != 0 {
		form.Set("ErrorCode", strconv.Itoa(r.ErrorCode))
	}
	if r.Status == Delivered || r.Status == Undelivered {
		form.Set("RawDlrDoneDate", r.Updated.Format("0601021504"))
	}
	return webhook{kind: StatusHook, sid: r.SID, url: r.StatusCallback, form: form, token: newSID("")}
}

func (s *Server) conflicting(r *record) webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	other := *r
	other.Status, other.ErrorCode = r.script.Conflict, 0
	if other.Status == Undelivered || other.Status == Failed {
		other.ErrorCode = 30008
	}
	return s.callback(&other)
}
