package twilio

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Request is one request to the REST API.
type Request struct {
	Op         Op
	Method     string
	Path       string
	Form       url.Values // of the body
	Status     int        // 0 if a fault answered before the request was carried out
	Fault      FaultKind  // empty: none
	Authorized bool       // it carried credentials
	At         time.Time
}

func (s *Server) note(c *call, status int, fault FaultKind) {
	_, _, authorized := c.BasicAuth()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{
		Op: c.op, Method: c.Method, Path: c.URL.Path, Form: c.form, Status: status, Fault: fault,
		Authorized: authorized, At: s.now(),
	})
	s.notify()
}

// Messages returns all messages in the order of their creation, deleted ones too.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Message, 0, len(s.order))
	for _, r := range s.order {
		all = append(all, r.snapshot())
	}
	return all
}

// Message returns the message with a SID.
func (s *Server) Message(sid string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.messages[sid]
	if r == nil {
		return Message{}, false
	}
	return r.snapshot(), true
}

// Paid returns how many messages the API accepted, by body. More than one for a body is a resend somebody pays for.
func (s *Server) Paid() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	paid := map[string]int{}
	for _, r := range s.order {
		if r.Direction == DirectionAPI {
			paid[r.Form.Get("Body")]++
		}
	}
	return paid
}

// Requests returns all requests to the REST API in the order of their answers.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Attempts returns all tries of all webhooks in the order in which they ended.
func (s *Server) Attempts() []Attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.attempts)
}

// Wait returns when ok does: it is asked at once and after every change of the server's state. The error is ctx's.
func (s *Server) Wait(ctx context.Context, ok func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait: %w", ctx.Err())
		case <-changed:
		}
	}
}

// WaitMessage returns the first message for which match is true, now or later.
func (s *Server) WaitMessage(ctx context.Context, match func(*Message) bool) (Message, error) {
	var found Message
	err := s.Wait(ctx, func() bool {
		for _, m := range s.Messages() {
			if match(&m) {
				found = m
				return true
			}
		}
		return false
	})
	return found, err
}

// WaitStatus waits until a message has a status.
func (s *Server) WaitStatus(ctx context.Context, sid, status string) error {
	return s.Wait(ctx, func() bool {
		m, ok := s.Message(sid)
		return ok && m.Status == status
	})
}

// WaitIdle waits until every message has come to the end of its script and no callback is under way.
func (s *Server) WaitIdle(ctx context.Context) error {
	return s.Wait(ctx, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.active == 0
	})
}

// Exchange is a request and its answer, as they went over the wire.
type Exchange struct {
	Method       string `json:"method"`
	Path         string `json:"path"` // escaped
	Query        string `json:"query"`
	RequestType  string `json:"requestType"`
	RequestBody  string `json:"requestBody"`
	Authorized   bool   `json:"authorized"`
	Status       int    `json:"status"` // 0: no answer
	ResponseType string `json:"responseType"`
	ResponseBody string `json:"responseBody"` // without what is over 4 MiB
}

// recorder keeps a copy of what a handler writes.
type recorder struct {
	http.ResponseWriter
	status int
	body   []byte
}

const maxRecorded = 4 << 20

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if len(r.body)+len(p) <= maxRecorded {
		r.body = append(r.body, p...)
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) exchange(req *http.Request, body []byte) Exchange {
	_, _, authorized := req.BasicAuth()
	return Exchange{
		Method: req.Method, Path: req.URL.EscapedPath(), Query: req.URL.RawQuery,
		RequestType: req.Header.Get("Content-Type"), RequestBody: string(body), Authorized: authorized,
		Status: r.status, ResponseType: r.Header().Get("Content-Type"), ResponseBody: string(r.body),
	}
}
