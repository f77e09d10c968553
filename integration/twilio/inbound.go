package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// ErrUndelivered is returned when neither the webhook nor its fallback answered an inbound message with 2xx. The
// message is in listings all the same.
var ErrUndelivered = errors.New("inbound webhook not answered with 2xx")

// Incoming is a message that a peer sends to one of the account's numbers.
type Incoming struct {
	From, To string
	Body     string
	Media    []Media
	Extra    url.Values // more webhook parameters (WaId, ProfileName, ...)
	Lost     bool       // no webhook is called: only a listing shows the message
}

// Inbound makes a text arrive from a peer: it is stored, its webhook called, and the answer obeyed.
func (s *Server) Inbound(ctx context.Context, from, to, body string, media ...Media) (Message, error) {
	return s.Receive(ctx, Incoming{From: from, To: to, Body: body, Media: media})
}

// Receive makes a message arrive. It returns when the webhook, or the fallback after it, has been answered; the error
// is ErrUndelivered if no answer was 2xx.
func (s *Server) Receive(ctx context.Context, in Incoming) (Message, error) {
	r, hook, err := s.take(in)
	if err != nil {
		return Message{}, err
	}
	m := r.snapshotOf(s)
	if in.Lost {
		return m, nil
	}
	tries := s.post(ctx, hook)
	if len(tries) == 0 {
		return m, fmt.Errorf("receive %s: number has no webhook: %w", m.SID, ErrUndelivered)
	}
	last := tries[len(tries)-1]
	if !last.OK() {
		if last, err = s.fallBack(ctx, hook, last); err != nil {
			return m, err
		}
	}
	s.obey(m, last)
	return m, nil
}

// take stores the message and handles opt-out words, before anybody is told.
func (s *Server) take(in Incoming) (*record, webhook, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers[in.To]
	if n == nil {
		return nil, webhook{}, fmt.Errorf("receive: %s is not a number of the account", in.To)
	}
	m := Message{
		SID: newSID("SM"), From: in.From, To: in.To, Body: in.Body,
		Status: Received, Direction: DirectionInbound, Created: s.now(),
	}
	m.Updated, m.Sent = m.Created, m.Created
	m.Segments, _ = Segments(in.Body)
	if len(in.Media) > 0 {
		m.SID = newSID("MM")
	}
	for _, item := range in.Media {
		m.Media = append(m.Media, s.addMedia(m.SID, item))
	}
	r := &record{Message: m, hook: n.SMSURL}
	svc := s.serviceOf(in.To)
	if svc != nil {
		r.Service = svc.SID
		if svc.InboundURL != "" {
			r.hook = svc.InboundURL
		}
	}
	r.form = s.inboundForm(&r.Message, in.Media)
	if word := s.heed(r, n); word != "" && svc != nil && svc.AdvancedOptOut {
		r.form.Set("OptOutType", word)
	}
	for name, values := range in.Extra {
		r.form[name] = values
	}
	s.add(r)
	return r, webhook{kind: InboundHook, sid: r.SID, url: r.hook, form: r.form, token: newSID("")}, nil
}

// serviceOf needs mu.
func (s *Server) serviceOf(number string) *Service {
	for _, svc := range s.cfg.Services {
		for _, n := range svc.Numbers {
			if n == number {
				return s.services[svc.SID]
			}
		}
	}
	return nil
}

// inboundForm is the documented parameters of an inbound message's webhook.
func (s *Server) inboundForm(m *Message, media []Media) url.Values {
	form := url.Values{
		"MessageSid":    {m.SID},
		"SmsSid":        {m.SID},
		"SmsMessageSid": {m.SID},
		"AccountSid":    {s.cfg.AccountSID},
		"SmsStatus":     {m.Status},
		"From":          {m.From},
		"To":            {m.To},
		"Body":          {m.Body},
		"NumMedia":      {strconv.Itoa(len(media))},
		"NumSegments":   {strconv.Itoa(m.Segments)},
		"ApiVersion":    {apiVersion},
		"FromCity":      {""}, "FromState": {""}, "FromZip": {""}, "FromCountry": {country(m.From)},
		"ToCity": {""}, "ToState": {""}, "ToZip": {""}, "ToCountry": {country(m.To)},
	}
	if m.Service != "" {
		form.Set("MessagingServiceSid", m.Service)
	}
	for i, item := range media {
		n := strconv.Itoa(i)
		form.Set("MediaUrl"+n, s.url+s.accountPath()+"/Messages/"+m.SID+"/Media/"+m.Media[i])
		form.Set("MediaContentType"+n, item.Type)
	}
	return form
}

func country(number string) string {
	for prefix, code := range map[string]string{"+1": "US", "+44": "GB", "+49": "DE", "+33": "FR"} {
		if strings.HasPrefix(number, prefix) {
			return code
		}
	}
	return ""
}

// fallBack calls the fallback URL, which learns what went wrong with the first one.
func (s *Server) fallBack(ctx context.Context, hook webhook, failed Attempt) (Attempt, error) {
	s.mu.Lock()
	target := s.numbers[hook.form.Get("To")].FallbackURL
	if svc := s.serviceOf(hook.form.Get("To")); svc != nil && svc.InboundURL != "" {
		target = svc.FallbackURL
	}
	s.mu.Unlock()
	if target == "" {
		return failed, fmt.Errorf("receive %s: %w", hook.sid, errors.Join(ErrUndelivered, failed.Err))
	}
	form := url.Values{}
	for name, values := range hook.form {
		form[name] = values
	}
	code := "11200" // HTTP retrieval failure
	if failed.Status == 0 {
		code = "11205" // HTTP connection failure
	}
	form.Set("ErrorCode", code)
	form.Set("ErrorUrl", failed.URL)
	hook.url, hook.form, hook.fallback, hook.token = target, form, true, newSID("")
	tries := s.post(ctx, hook)
	last := tries[len(tries)-1]
	if !last.OK() {
		return last, fmt.Errorf("receive %s: %w", hook.sid, errors.Join(ErrUndelivered, last.Err))
	}
	return last, nil
}

// Redeliver posts the webhook of an inbound message once more, byte for byte: a duplicate, or a replay by somebody who
// has seen it.
func (s *Server) Redeliver(ctx context.Context, sid string) (Attempt, error) {
	return s.again(ctx, sid, "", nil)
}

// Forge posts the webhook of an inbound message signed with another token than the account's.
func (s *Server) Forge(ctx context.Context, sid string) (Attempt, error) {
	return s.again(ctx, sid, strings.Repeat("f", 32), nil)
}

// Tamper posts the webhook of an inbound message with its good signature, but changed by edit after signing.
func (s *Server) Tamper(ctx context.Context, sid string, edit func(url.Values)) (Attempt, error) {
	return s.again(ctx, sid, "", edit)
}

func (s *Server) again(ctx context.Context, sid, key string, edit func(url.Values)) (Attempt, error) {
	s.mu.Lock()
	r := s.messages[sid]
	s.mu.Unlock()
	if r == nil || r.form == nil || r.hook == "" {
		return Attempt{}, fmt.Errorf("redeliver %s: not an inbound message with a webhook", sid)
	}
	w := webhook{kind: InboundHook, sid: sid, url: r.hook, form: r.form, token: newSID(""), signKey: key}
	if edit != nil {
		w.sendForm = url.Values{}
		for name, values := range r.form {
			w.sendForm[name] = append([]string(nil), values...)
		}
		edit(w.sendForm)
	}
	tries := s.post(ctx, w)
	last := tries[len(tries)-1]
	return last, last.Err
}

// Callback posts a signed status callback for any message and status, whatever the script says. The message itself
// does not change.
func (s *Server) Callback(ctx context.Context, sid, status string, code int) (Attempt, error) {
	s.mu.Lock()
	r := s.messages[sid]
	if r == nil || r.StatusCallback == "" {
		s.mu.Unlock()
		return Attempt{}, fmt.Errorf("call back for %s: no such message with a status callback", sid)
	}
	other := *r
	other.Status, other.ErrorCode = status, code
	cb := s.callback(&other)
	s.mu.Unlock()
	tries := s.post(ctx, cb)
	last := tries[len(tries)-1]
	return last, last.Err
}

func (r *record) snapshotOf(s *Server) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.snapshot()
}
