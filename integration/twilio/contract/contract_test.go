//go:build integration

package contract_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/integration/twilio"
	"gangway/integration/twilio/contract"
)

const (
	ours    = "+15550100001"
	peer    = "+15550199001"
	service = "MG00000000000000000000000000000001"
)

var tools *contract.Tools // installed once, by TestMain

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var err error
	if tools, err = contract.Install(ctx); err != nil {
		log.Print(err)
		return 1
	}
	defer func() { _ = tools.Close() }()
	return m.Run()
}

// start runs a server for the length of the test.
func start(t *testing.T, cfg twilio.Config) *twilio.Server {
	t.Helper()
	cfg.Numbers = append(cfg.Numbers, twilio.Number{E164: ours})
	s := twilio.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	if s.URL() == "" {
		t.Fatal("server did not start")
	}
	return s
}

// call makes one REST request and returns the sid in its answer, if there is one.
func call(t *testing.T, s *twilio.Server, method, path string, form url.Values) string {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+"/2010-04-01/Accounts/"+s.AccountSID()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(s.AccountSID(), s.AuthToken())
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ SID string }
	_ = json.NewDecoder(resp.Body).Decode(&answer) // not every answer is JSON
	return answer.SID
}

// everyExchange makes a server do all it can, and returns what went over the wire.
func everyExchange(t *testing.T) []twilio.Exchange {
	t.Helper()
	var mu sync.Mutex
	var exchanges []twilio.Exchange
	s := start(t, twilio.Config{
		Services: []twilio.Service{{SID: service, Numbers: []string{ours}}},
		Record: func(e twilio.Exchange) {
			mu.Lock()
			defer mu.Unlock()
			exchanges = append(exchanges, e)
		},
	})
	s.Script(twilio.Match{Body: "fails"}, twilio.FailWith(twilio.Undelivered, 30003))
	s.Script(twilio.Match{Body: "reads"}, twilio.Script{Steps: []twilio.Step{{Status: twilio.Sending}, {Status: twilio.Read}}})
	text := func(body string, more ...string) url.Values {
		form := url.Values{"From": {ours}, "To": {peer}, "Body": {body}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	sent := []string{
		call(t, s, "POST", "/Messages.json", text("plain", "StatusCallback", "https://gw.invalid/cb")),
		call(t, s, "POST", "/Messages.json", text("fails")),
		call(t, s, "POST", "/Messages.json", text("reads")),
		call(t, s, "POST", "/Messages.json", text("grüße 😀", "SmartEncoded", "true", "ValidityPeriod", "60", "RiskCheck", "disable")),
		call(t, s, "POST", "/Messages.json", text("picture", "MediaUrl", "https://m.example/a.jpg")),
		call(t, s, "POST", "/Messages.json", url.Values{"To": {peer}, "Body": {"service"}, "MessagingServiceSid": {service}}),
	}
	scheduled := call(t, s, "POST", "/Messages.json", url.Values{"To": {peer}, "Body": {"later"}, "MessagingServiceSid": {service},
		"ScheduleType": {"fixed"}, "SendAt": {later}})
	call(t, s, "GET", "/Messages/"+scheduled+".json", nil)
	call(t, s, "POST", "/Messages/"+scheduled+".json", url.Values{"Status": {"canceled"}})
	if err := s.WaitIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	picture, _ := s.Receive(t.Context(), twilio.Incoming{From: peer, To: ours, Body: "see", Lost: true,
		Media: []twilio.Media{{Type: "image/png", Data: []byte("png")}, {Type: "image/gif"}}})
	_, _ = s.Inbound(t.Context(), peer, ours, "STOP") // makes an outbound-reply
	for _, sid := range append(sent, picture.SID) {
		call(t, s, "GET", "/Messages/"+sid+".json", nil)
		call(t, s, "GET", "/Messages/"+sid+"/Media.json?PageSize=1", nil)
	}
	for _, query := range []string{"", "?PageSize=2", "?PageSize=2&Page=1", "?To=%2B15550100001&From=%2B15550199001", "?DateSent%3E=2026-01-01", "?DateSent%3C=2020-01-01T00:00:00Z"} {
		call(t, s, "GET", "/Messages.json"+query, nil)
	}
	call(t, s, "GET", "/Messages/"+picture.SID+"/Media/"+picture.Media[0]+".json", nil)
	call(t, s, "GET", "/Messages/"+picture.SID+"/Media/"+picture.Media[0], nil)
	call(t, s, "DELETE", "/Messages/"+picture.SID+"/Media/"+picture.Media[0]+".json", nil)
	call(t, s, "POST", "/Messages/"+sent[0]+".json", url.Values{"Body": {""}})
	call(t, s, "DELETE", "/Messages/"+sent[0]+".json", nil)

	// Refusals.
	call(t, s, "GET", "/Messages/"+sent[0]+".json", nil)
	call(t, s, "POST", "/Messages.json", text("opted out"))
	call(t, s, "POST", "/Messages.json", text("x", "To", "nobody"))
	call(t, s, "GET", "/Messages.json?PageToken=x", nil)
	s.Fail(twilio.Any, twilio.Fault{Kind: twilio.RateLimited}, twilio.Fault{Kind: twilio.ServerError}, twilio.Fault{Kind: twilio.Unauthorized})
	for range 3 {
		call(t, s, "GET", "/Messages.json", nil)
	}
	mu.Lock()
	defer mu.Unlock()
	return slices.Clone(exchanges)
}

func TestExchangesKeepTheContract(t *testing.T) {
	exchanges := everyExchange(t)
	report, err := tools.Check(t.Context(), exchanges)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i, r := range report {
		e := exchanges[i]
		if e.Status < 300 {
			seen[r.ID]++
		}
		for _, v := range r.Violations {
			t.Errorf("%s %s?%s -> %d: %s\n%s", e.Method, e.Path, e.Query, e.Status, v, e.ResponseBody)
		}
		if r.ID == "" && e.Status != http.StatusTemporaryRedirect { // the document does not describe media content
			t.Errorf("%s %s is not in the document", e.Method, e.Path)
		}
	}
	for _, id := range []string{"CreateMessage", "ListMessage", "FetchMessage", "UpdateMessage", "DeleteMessage", "ListMedia", "FetchMedia", "DeleteMedia"} {
		if seen[id] == 0 {
			t.Errorf("no exchange of %s was checked", id)
		}
	}
	t.Logf("%d exchanges: %v", len(exchanges), seen)
}

// A gate that lets everything pass proves nothing: each planted fault must be seen, and nothing else.
func TestPlantedFaultsAreSeen(t *testing.T) {
	exchanges := everyExchange(t)
	find := func(method string, status int, contains string) twilio.Exchange {
		for _, e := range exchanges {
			if e.Method == method && e.Status == status && strings.Contains(e.ResponseBody, contains) {
				return e
			}
		}
		t.Fatalf("no exchange %s %d %s", method, status, contains)
		return twilio.Exchange{}
	}
	created := find("POST", 201, `"status":"queued"`)
	listed := find("GET", 200, `"messages":[{`)
	refused := find("GET", 404, "20404")
	deleted := find("DELETE", 204, "")
	body := func(from, to string) func(*twilio.Exchange) {
		return func(e *twilio.Exchange) {
			changed := strings.Replace(e.ResponseBody, from, to, 1)
			if changed == e.ResponseBody {
				t.Fatalf("nothing to plant: %q is not in %s", from, e.ResponseBody)
			}
			e.ResponseBody = changed
		}
	}
	tests := []struct {
		name  string
		of    twilio.Exchange
		plant func(*twilio.Exchange)
		want  string
	}{
		{"sid pattern", created, body(`"sid":"SM`, `"sid":"XX`), "/sid"},
		{"sid length", created, body(`"sid":"SM`, `"sid":"SM0`), "/sid"},
		{"account pattern", created, body(`"account_sid":"AC`, `"account_sid":"AX`), "/account_sid"},
		{"status enum", created, body(`"status":"queued"`, `"status":"on its way"`), "/status"},
		{"direction enum", created, body(`"direction":"outbound-api"`, `"direction":"outbound"`), "/direction"},
		{"num_segments type", created, body(`"num_segments":"1"`, `"num_segments":1`), "/num_segments"},
		{"num_media type", created, body(`"num_media":"0"`, `"num_media":0`), "/num_media"},
		{"error_code type", created, body(`"error_code":null`, `"error_code":"30003"`), "/error_code"},
		{"price type", created, body(`"price":null`, `"price":0.0079`), "/price"},
		{"date form", created, body(` +0000","price"`, ` GMT","price"`), "/date_updated"},
		{"missing property", created, body(`"api_version":"2010-04-01",`, ``), "/api_version"},
		{"unknown property", created, body(`"api_version"`, `"extra":1,"api_version"`), "/extra"},
		{"not JSON", created, body(`}`, ``), "JSON"},
		{"wrong status", created, func(e *twilio.Exchange) { e.Status = 200 }, "status 200"},
		{"content type", created, func(e *twilio.Exchange) { e.ResponseType = "text/html" }, "text/html"},
		{"no credentials", created, func(e *twilio.Exchange) { e.Authorized = false }, "credentials"},
		{"unknown form parameter", created, func(e *twilio.Exchange) { e.RequestBody += "&Text=x" }, "Text"},
		{"missing form parameter", created, func(e *twilio.Exchange) { e.RequestBody = "Body=x" }, "'To'"},
		{"form enum", created, func(e *twilio.Exchange) { e.RequestBody += "&RiskCheck=maybe" }, "/RiskCheck"},
		{"path pattern", created, func(e *twilio.Exchange) { e.Path = strings.Replace(e.Path, "/AC", "/XX", 1) }, "AccountSid"},
		{"sid inside a list", listed, body(`"sid":"SM`, `"sid":"ZZ`), "/messages/0/sid"},
		{"page type", listed, body(`"page":0`, `"page":"0"`), "/page"},
		{"missing next_page_uri", listed, body(`"next_page_uri"`, `"next"`), "/next_page_uri"},
		{"query range", listed, func(e *twilio.Exchange) { e.Query = "PageSize=5000" }, "PageSize"},
		{"unknown query parameter", listed, func(e *twilio.Exchange) { e.Query = "Sender=x" }, "Sender"},
		{"body of a deletion", deleted, func(e *twilio.Exchange) { e.ResponseBody = "{}" }, "unexpected body"},
		{"error code type", refused, body(`"code":20404`, `"code":"20404"`), "/code"},
		{"error status", refused, body(`"status":404`, `"status":400`), "/status"},
		{"error page", refused, func(e *twilio.Exchange) { e.ResponseBody = "<html>" }, "JSON"},
	}
	planted := make([]twilio.Exchange, len(tests))
	for i, tt := range tests {
		planted[i] = tt.of
		tt.plant(&planted[i])
	}
	report, err := tools.Check(t.Context(), planted)
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range tests {
		if !strings.Contains(fmt.Sprint(report[i].Violations), tt.want) {
			t.Errorf("%s: violations %v, want one of %s", tt.name, report[i].Violations, tt.want)
		}
	}
}
