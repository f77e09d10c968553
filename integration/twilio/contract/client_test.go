//go:build integration

package contract_test

import (
	"slices"
	"testing"
	"time"

	"gangway/integration/twilio"
)

func TestTwilioNodeWorks(t *testing.T) {
	s := start(t, twilio.Config{})
	s.Fail(twilio.CreateOp, twilio.Fault{Kind: twilio.RateLimited, For: twilio.Match{Body: "after a 429"}})
	type message struct {
		SID, Status, Direction, Body  string
		NumSegments, NumMedia         string
		DateCreated                   time.Time
		Price                         *string
		ErrorCode                     *int
		AccountSID, URI, APIVersion   string
		SubresourceURIs               map[string]string
		From, To, MessagingServiceSID *string
	}
	type failure struct {
		Name, MoreInfo string
		Status, Code   int
	}
	var got struct {
		Created, Fetched, Retried, Redacted message
		Page, Listed                        []string
		BadTo, Missing                      struct{ Error failure }
		Media                               int
	}
	if err := tools.Client(t.Context(), s, ours, peer, &got); err != nil {
		t.Fatal(err)
	}
	if m := got.Created; m.Status != "queued" || m.NumSegments != "1" || m.Price != nil || m.DateCreated.IsZero() || m.SID != got.Fetched.SID {
		t.Errorf("created %+v", m)
	}
	if got.Redacted.Body != "" || got.Media != 0 {
		t.Errorf("redacted %+v, %d media", got.Redacted, got.Media)
	}
	if got.Retried.Body != "after a 429" || s.Paid()["after a 429"] != 1 {
		t.Errorf("retried %+v, paid %v", got.Retried, s.Paid())
	}
	if !slices.Equal(got.Page, []string{"after a 429"}) || len(got.Listed) != 2 {
		t.Errorf("page %v, list %v", got.Page, got.Listed)
	}
	if e := got.BadTo.Error; e.Name != "RestException" || e.Code != 21211 || e.Status != 400 || e.MoreInfo == "" {
		t.Errorf("bad To: %+v", e)
	}
	if e := got.Missing.Error; e.Name != "RestException" || e.Code != 20404 || e.Status != 404 {
		t.Errorf("missing: %+v", e)
	}
}
