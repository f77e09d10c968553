package twilio

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

var (
	shortCode       = regexp.MustCompile(`^[0-9]{3,8}$`)
	alphaSender     = regexp.MustCompile(`^[A-Za-z0-9 &+_-]{0,10}[A-Za-z][A-Za-z0-9 &+_-]{0,10}$`)
	callbackPattern = regexp.MustCompile(`^https?://[^\s/?#_]+([/?#]\S*)?$`) // a host with an underscore is refused
)

const (
	maxBodyUnits = 1600
	maxMedia     = 10
	unitPrice    = 79 // hundred-thousandths of a dollar for each segment
)

func (s *Server) create(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, refused := s.admit(c.form)
	if refused != nil {
		return refused.answer()
	}
	script := s.scriptFor(&m)
	if script.Reject != 0 {
		return refusal(script.Reject).answer()
	}
	r := s.accept(m, script)
	r.sendAt = sendAt(c.form)
	a := jsonAnswer(http.StatusCreated, s.resource(&r.Message))
	play := func(ctx context.Context) { s.play(ctx, r) }
	if script.Early && r.sendAt.IsZero() {
		a.early = play
	} else {
		a.after = play
	}
	return a
}

// admit checks what a client posted, in the order in which Twilio complains. It needs mu.
func (s *Server) admit(form url.Values) (Message, *apiError) {
	m := Message{
		From: form.Get("From"), To: form.Get("To"), Body: form.Get("Body"),
		Service:        form.Get("MessagingServiceSid"),
		StatusCallback: form.Get("StatusCallback"),
		Direction:      DirectionAPI,
		Form:           form,
	}
	for _, check := range []func(*Message) *apiError{s.checkTo, s.checkSender, checkContent, checkCallback, s.checkOptOut} {
		if refused := check(&m); refused != nil {
			return Message{}, refused
		}
	}
	if refused := checkSchedule(form); refused != nil {
		return Message{}, refused
	}
	return m, nil
}

func (s *Server) checkTo(m *Message) *apiError {
	switch {
	case m.To == "":
		return refusal(21604)
	case !phonePattern.MatchString(m.To) && !shortCode.MatchString(m.To):
		return refusal(21211, m.To)
	default:
		return nil
	}
}

func (s *Server) checkSender(m *Message) *apiError {
	if m.Service != "" {
		svc := s.services[m.Service]
		if svc == nil {
			return refusal(21701, m.Service)
		}
		if len(svc.Numbers) == 0 {
			return refusal(21703)
		}
		if m.StatusCallback == "" {
			m.StatusCallback = svc.StatusCallback
		}
	}
	switch {
	case m.From == "" && m.Service != "":
		return nil
	case m.From == "":
		return refusal(21603)
	case m.From == m.To:
		return refusal(21266, m.To)
	}
	n := s.numbers[m.From]
	switch {
	case n != nil && !n.NoSMS:
		return nil
	case n == nil && !phonePattern.MatchString(m.From) && !shortCode.MatchString(m.From) && !alphaSender.MatchString(m.From):
		return refusal(21212, m.From)
	default:
		return refusal(21606, m.From)
	}
}

// checkContent: a missing Body is 21602, an empty message 21619.
func checkContent(m *Message) *apiError {
	media := m.Form["MediaUrl"]
	switch {
	case m.Body == "" && len(media) == 0 && m.Form.Get("ContentSid") == "":
		if m.Form.Has("Body") {
			return refusal(21619)
		}
		return refusal(21602)
	case bodyUnits(m.Body) > maxBodyUnits:
		return refusal(21617)
	case len(media) > maxMedia:
		return refusal(21623)
	}
	for _, raw := range media {
		if u, err := url.Parse(raw); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return refusal(21620)
		}
	}
	return nil
}

func checkCallback(m *Message) *apiError {
	if m.StatusCallback == "" || callbackPattern.MatchString(m.StatusCallback) {
		return nil
	}
	return refusal(21609, m.StatusCallback)
}

func (s *Server) checkOptOut(m *Message) *apiError {
	if s.optOuts[s.scope(m.Service, m.From, m.To)] {
		return refusal(21610)
	}
	return nil
}

func checkSchedule(form url.Values) *apiError {
	if form.Get("ScheduleType") == "" && form.Get("SendAt") == "" {
		return nil
	}
	switch {
	case form.Get("MessagingServiceSid") == "":
		return refusal(35118)
	case form.Get("ScheduleType") != "fixed":
		return refusal(20001, "ScheduleType")
	case sendAt(form).IsZero():
		return refusal(20001, "SendAt")
	default:
		return nil
	}
}

// sendAt is zero unless the message is scheduled.
func sendAt(form url.Values) time.Time {
	t, err := time.Parse(time.RFC3339, form.Get("SendAt"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// accept stores an outbound message in its initial status: from here on it costs money. It needs mu.
func (s *Server) accept(m Message, script Script) *record {
	prefix := "SM"
	if len(m.Form["MediaUrl"]) > 0 || m.Form.Get("SendAsMms") == "true" {
		prefix = "MM"
	}
	m.SID = newSID(prefix)
	m.Created = s.now()
	m.Updated = m.Created
	m.Status = Queued
	if m.Service != "" {
		m.Status = Accepted
		if m.Form.Get("SendAt") != "" {
			m.Status = Scheduled
		}
	} else {
		m.Segments = outboundSegments(&m)
	}
	for range m.Form["MediaUrl"] {
		m.Media = append(m.Media, s.addMedia(m.SID, Media{Type: "application/octet-stream"}))
	}
	r := &record{Message: m, script: script}
	s.add(r)
	return r
}

// add needs mu.
func (s *Server) add(r *record) {
	s.messages[r.SID] = r
	s.order = append(s.order, r)
	s.notify()
}

func outboundSegments(m *Message) int {
	if strings.HasPrefix(m.SID, "MM") {
		return 1
	}
	body := m.Body
	if m.Form.Get("SmartEncoded") == "true" {
		body = smartEncode(body)
	}
	n, _ := Segments(body)
	return n
}

// lookup needs mu. Deleted messages are not found.
func (s *Server) lookup(sid string) *record {
	r := s.messages[sid]
	if r == nil || r.Deleted {
		return nil
	}
	return r
}

func (s *Server) fetch(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.lookup(c.sid())
	if r == nil {
		return c.notFound()
	}
	return jsonAnswer(http.StatusOK, s.resource(&r.Message))
}

// update does the two things that can be done to a message: Body= (empty) redacts it, Status=canceled cancels it.
func (s *Server) update(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.lookup(c.sid())
	if r == nil {
		return c.notFound()
	}
	var after func(context.Context)
	switch {
	case c.form.Get("Status") == Canceled && r.Status == Scheduled:
		r.Status, r.Updated = Canceled, s.now()
		if r.cancel != nil {
			r.cancel()
		}
		cb := s.callback(r)
		after = func(ctx context.Context) { s.post(ctx, cb) }
	case c.form.Has("Status"):
		return refusal(20001, "Status").answer()
	case c.form.Has("Body") && c.form.Get("Body") == "":
		r.Body, r.Updated = "", s.now()
	default:
		return refusal(20001, "Body").answer()
	}
	s.notify()
	a := jsonAnswer(http.StatusOK, s.resource(&r.Message))
	a.after = after
	return a
}

func (s *Server) remove(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.lookup(c.sid())
	switch {
	case r == nil:
		return c.notFound()
	case !r.Final() && r.Status != Sent:
		return refusal(20009).answer()
	}
	r.Deleted, r.Updated = true, s.now()
	for _, sid := range r.Media {
		delete(s.media, sid)
	}
	s.notify()
	return answer{status: http.StatusNoContent}
}
