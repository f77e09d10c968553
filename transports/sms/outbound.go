package sms

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"gangway/core"
)

const (
	maxBody = 1600 // characters; Twilio's 21617

	// An uncertain message is looked for in the provider's list after firstLook, and once more after secondLook:
	// listings lag behind.
	firstLook  = 30 * time.Second
	secondLook = 120 * time.Second
	skew       = 60 * time.Second // between our clock and the provider's
	keepSIDs   = 90 * 24 * time.Hour
	mayBeSent  = "It is not known whether this message was sent: the provider's answer was lost, and its list does not show it. It was not sent again; send it again yourself if it must arrive."
)

var messageSID = regexp.MustCompile(`^(SM|MM)[0-9a-f]{32}$`)

// Send makes one attempt. Its errors say whether the provider may have taken the message: only Uncertain may.
func (s *session) Send(ctx context.Context, m *core.Message) (core.Taken, error) {
	params, err := s.params(m)
	if err != nil {
		return core.Taken{}, err
	}
	var made *openapi.ApiV2010Message
	c, err := s.t.api.do(ctx, func(api *openapi.ApiService) (err error) {
		made, err = api.CreateMessage(params)
		return err
	})
	if err != nil {
		return core.Taken{}, c.failed("sms: send", err)
	}
	if made.Sid == nil || !messageSID.MatchString(*made.Sid) {
		return core.Taken{}, c.failed("sms: send", errors.New("an answer without the message's SID"))
	}
	return s.taken(ctx, m, *made.Sid)
}

// params are the message as the provider wants it. The status callback names the message, so that what became of it
// is known even if the answer to this request is lost.
func (s *session) params(m *core.Message) (*openapi.CreateMessageParams, error) {
	to := recipient(m.Peer)
	if to == "" {
		return nil, core.E(core.Unsupported, "sms: send", "A sender with a name instead of a number cannot be answered.")
	}
	text := body(m)
	if text == "" {
		return nil, core.E(core.Invalid, "sms: send", "The message is empty.")
	}
	if n := utf8.RuneCountInString(text); n > maxBody {
		return nil, core.E(core.TooLarge, "sms: send",
			"The message has "+strconv.Itoa(n)+" characters, and SMS carries 1600 at most. Send it in parts.")
	}
	p := &openapi.CreateMessageParams{}
	p.SetTo(to).SetFrom(string(s.account.Own)).SetBody(text)
	if hook := s.t.host.WebhookURL(); hook != "" {
		p.SetStatusCallback(hook + "/status/" + string(m.ID))
	}
	return p, nil
}

// body is the text of a message, with the addresses of what is attached to it.
func body(m *core.Message) string {
	text := m.Text
	if m.Subject != "" && text != "" {
		text = m.Subject + "\n" + text
	}
	for _, a := range m.Attachments {
		if a.URL != "" && a.URL != m.Text {
			text += "\n" + a.URL
		}
	}
	return strings.TrimPrefix(text, "\n")
}

// taken records which message of ours the provider's SID stands for.
func (s *session) taken(ctx context.Context, m *core.Message, sid string) (core.Taken, error) {
	if err := s.t.host.Notes().Put(ctx, "sid/"+sid, []byte(m.ID), keepSIDs); err != nil {
		// It was taken all the same: to say anything else would send it again.
		s.t.host.Logger().Error("sid not noted", "sid", sid, "message", m.ID, "err", err)
	}
	return core.Taken{Remote: core.RemoteID(sid), State: core.Accepted}, nil
}

// Reconcile finds out whether the provider took a message whose answer was lost: first the callback is given time,
// then the provider's list is looked through, twice.
func (s *session) Reconcile(ctx context.Context, m *core.Message, since time.Time) (core.Taken, error) {
	if age := time.Since(since); age < firstLook {
		return core.Taken{}, uncertain(firstLook - age)
	}
	sid, err := s.find(ctx, m, since)
	switch {
	case err != nil:
		return core.Taken{}, &core.Error{Kind: core.Uncertain, Op: "sms: reconcile", After: firstLook, Err: err}
	case sid != "":
		return s.taken(ctx, m, sid)
	}
	key := "looked/" + string(m.ID)
	if _, err := s.t.host.Notes().Get(ctx, key); err == nil {
		return core.Taken{}, core.E(core.Uncertain, "sms: reconcile", mayBeSent)
	}
	if err := s.t.host.Notes().Put(ctx, key, []byte{1}, keepSIDs); err != nil {
		return core.Taken{}, &core.Error{Kind: core.Uncertain, Op: "sms: reconcile", After: firstLook, Err: err}
	}
	return core.Taken{}, uncertain(max(secondLook-time.Since(since), firstLook))
}

func uncertain(after time.Duration) error {
	return &core.Error{Kind: core.Uncertain, Op: "sms: reconcile", Text: textUncertain, After: after}
}

// find looks for a message in the provider's list: same parties, same text, not older than the attempt, and not
// known as another message of ours.
func (s *session) find(ctx context.Context, m *core.Message, since time.Time) (string, error) {
	p := &openapi.ListMessageParams{}
	p.SetTo(recipient(m.Peer)).SetFrom(string(s.account.Own)).SetPageSize(100).SetLimit(300)
	var list []openapi.ApiV2010Message
	_, err := s.t.api.do(ctx, func(api *openapi.ApiService) (err error) {
		list, err = api.ListMessage(p)
		return err
	})
	if err != nil {
		return "", err
	}
	for _, l := range list {
		if text(l.Body) != body(m) || !messageSID.MatchString(text(l.Sid)) {
			continue
		}
		made, err := time.Parse(time.RFC1123Z, text(l.DateCreated))
		if err != nil || made.Before(since.Add(-skew)) {
			continue
		}
		owner, err := s.t.host.Notes().Get(ctx, "sid/"+text(l.Sid))
		if err == nil && string(owner) != string(m.ID) {
			continue
		}
		if err != nil && core.KindOf(err) != core.NotFound {
			return "", err
		}
		return text(l.Sid), nil
	}
	return "", nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
