package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// Each fault: does the client get an error, and was the message accepted? The second is what money depends on.
func TestFaultsOfCreate(t *testing.T) {
	tests := []struct {
		name   string
		fault  Fault
		paid   int
		status int // of the answer; 0: none, or not a whole one
		body   string
	}{
		{"429", Fault{Kind: RateLimited, RetryAfter: 1500 * time.Millisecond}, 0, 429, `"code":20429`},
		{"500 before", Fault{Kind: ServerError}, 0, 500, `"code":20500`},
		{"503 before", Fault{Kind: ServerError, Status: 503, RetryAfter: time.Second}, 0, 503, `"code":20503`},
		{"500 after", Fault{Kind: ServerError, After: true}, 1, 500, `"code":20500`},
		{"502 page", Fault{Kind: HTMLError}, 0, 502, "<html>"},
		{"504 page after", Fault{Kind: HTMLError, Status: 504, After: true}, 1, 504, "<html>"},
		{"201 with a page", Fault{Kind: HTMLError, Status: 201, After: true}, 1, 201, "<html>"},
		{"drop before", Fault{Kind: Drop}, 0, 0, ""},
		{"drop after", Fault{Kind: Drop, After: true}, 1, 0, ""},
		{"truncated", Fault{Kind: Truncated}, 1, 0, `"body":"x"`},
		{"redirect", Fault{Kind: Redirect, Location: "/elsewhere"}, 0, 307, ""},
		{"slow body", Fault{Kind: SlowBody, Wait: time.Microsecond}, 1, 201, `"status":"queued"`},
		{"wrong type", Fault{Kind: WrongType}, 1, 201, `"status":"queued"`},
		{"unauthorized", Fault{Kind: Unauthorized}, 0, 401, `"code":20003`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hook := newHook(t, nil)
			s := start(t, Config{})
			s.Fail(CreateOp, tt.fault)
			resp, body, err := send(t, s, http.MethodPost, "/Messages.json", text("x", "StatusCallback", hook.URL))
			switch {
			case tt.status == 0 && err == nil:
				t.Errorf("got a whole answer: %d %s", resp.StatusCode, body)
			case tt.status != 0 && (err != nil || resp.StatusCode != tt.status):
				t.Errorf("got %v, %v, want status %d", resp, err, tt.status)
			case !strings.Contains(string(body), tt.body):
				t.Errorf("body %q, want %q in it", body, tt.body)
			}
			if tt.fault.RetryAfter > 0 && resp.Header.Get("Retry-After") != map[int]string{429: "2", 503: "1"}[tt.status] {
				t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
			}
			if n := s.Paid()["x"]; n != tt.paid {
				t.Errorf("%d sends paid, want %d", n, tt.paid)
			}
			idle(t, s)
			if got := len(hook.got("MessageStatus")); got != 2*tt.paid {
				t.Errorf("%d callbacks for %d accepted messages", got, tt.paid)
			}
			if r := s.Requests()[0]; r.Fault != tt.fault.Kind || r.Op != CreateOp {
				t.Errorf("request log: %+v", r)
			}
			create(t, s, text("the next one goes through"))
		})
	}
}

func TestHang(t *testing.T) {
	for _, after := range []bool{false, true} {
		s := start(t, Config{})
		s.Fail(CreateOp, Fault{Kind: Hang, After: after})
		ctx, cancel := context.WithCancel(patience(t))
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+s.accountPath()+"/Messages.json", strings.NewReader(text("x").Encode()))
		req.SetBasicAuth(s.AccountSID(), s.AuthToken())
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		ended := make(chan error, 1)
		go func() {
			resp, err := http.DefaultClient.Do(req)
			if err == nil {
				resp.Body.Close()
			}
			ended <- err
		}()
		if err := s.Wait(patience(t), func() bool { return len(s.Requests()) == 1 }); err != nil {
			t.Fatal(err)
		}
		cancel() // the client's patience ends
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("after %v: %v", after, err)
		}
		if n := s.Paid()["x"]; n != map[bool]int{true: 1}[after] {
			t.Errorf("after %v: %d sends paid", after, n)
		}
	}
}

// Run ends although a client hangs.
func TestRunEndsWhileClientsHang(t *testing.T) {
	s := New(Config{Numbers: []Number{{E164: ours}}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	s.Fail(Any, Fault{Kind: Hang})
	answered := make(chan error, 1)
	go func() {
		_, _, err := send(t, s, http.MethodGet, "/Messages.json", nil)
		answered <- err
	}()
	if err := s.Wait(patience(t), func() bool { return len(s.Requests()) == 1 }); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	<-answered
}

func TestFaultsByOperationAndBody(t *testing.T) {
	s := start(t, Config{})
	s.Fail(CreateOp, Fault{Kind: ServerError, For: Match{Body: "unlucky"}})
	s.Fail(FetchOp, Fault{Kind: RateLimited})
	sid := create(t, s, text("lucky"))
	if resp, _ := request(t, s, http.MethodPost, "/Messages.json", text("unlucky")); resp.StatusCode != 500 {
		t.Errorf("unlucky: %d", resp.StatusCode)
	}
	if resp, _ := request(t, s, http.MethodGet, "/Messages.json", nil); resp.StatusCode != 200 {
		t.Errorf("list: %d", resp.StatusCode)
	}
	if s.PendingFaults() != 1 {
		t.Errorf("%d faults left", s.PendingFaults())
	}
	if resp, _ := request(t, s, http.MethodGet, "/Messages/"+sid+".json", nil); resp.StatusCode != 429 {
		t.Errorf("fetch: %d", resp.StatusCode)
	}
	s.Fail(Any, Fault{Kind: ServerError})
	s.ClearFaults()
	create(t, s, text("x"))
}

func TestFailRandomlyIsRepeatable(t *testing.T) {
	run := func(seed uint64) string {
		s := start(t, Config{Seed: seed})
		s.FailRandomly(FetchOp, 0.5, Fault{Kind: ServerError}, Fault{Kind: RateLimited}, Fault{Kind: HTMLError})
		var b strings.Builder
		for range 40 {
			resp, _ := request(t, s, http.MethodGet, "/Messages/SM0.json", nil)
			fmt.Fprint(&b, resp.StatusCode, " ")
		}
		return b.String()
	}
	a := run(1)
	if b := run(1); a != b {
		t.Errorf("same seed, different faults:\n%s\n%s", a, b)
	}
	if b := run(2); a == b {
		t.Error("different seeds, same faults")
	}
	for _, want := range []string{"404", "500", "429", "502"} {
		if !strings.Contains(a, want) {
			t.Errorf("no %s in %s", want, a)
		}
	}
}

// The facts a client has to live with: what twilio-go makes of each fault.
func TestFaultsThroughTwilioGo(t *testing.T) {
	s := start(t, Config{})
	params := (&api.CreateMessageParams{}).SetFrom(ours).SetTo(peer).SetBody("x")
	var rest *client.TwilioRestError

	s.Fail(CreateOp, Fault{Kind: RateLimited})
	if _, err := sdk(t, s).CreateMessage(params); !errors.As(err, &rest) || rest.Status != 429 || rest.Code != 20429 {
		t.Errorf("429: %v", err)
	}
	s.Fail(CreateOp, Fault{Kind: HTMLError})
	if _, err := sdk(t, s).CreateMessage(params); err == nil || errors.As(err, new(*client.TwilioRestError)) && rest.Status == 502 {
		t.Errorf("502 page: %v", err)
	}
	s.Fail(CreateOp, Fault{Kind: Truncated})
	if _, err := sdk(t, s).CreateMessage(params); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("truncated: %v", err)
	}
	s.Fail(CreateOp, Fault{Kind: Redirect, Location: "https://api.twilio.com/"})
	if _, err := sdk(t, s).CreateMessage(params); !errors.Is(err, io.EOF) {
		t.Errorf("307: %v", err)
	}
	s.Script(Match{}, Script{Reject: 21610})
	if _, err := sdk(t, s).CreateMessage(params); !errors.As(err, &rest) || rest.Code != 21610 {
		t.Errorf("21610: %v", err)
	}
	if s.Paid()["x"] != 1 {
		t.Errorf("paid %v: only the truncated one was accepted", s.Paid())
	}
}

func TestRecord(t *testing.T) {
	got := make(chan Exchange, 10)
	s := start(t, Config{Record: func(e Exchange) { got <- e }})
	sid := create(t, s, text("x"))
	e := <-got
	var m map[string]any
	if err := json.Unmarshal([]byte(e.ResponseBody), &m); err != nil || m["sid"] != sid {
		t.Errorf("response body %q: %v", e.ResponseBody, err)
	}
	if e.Method != "POST" || e.Path != s.accountPath()+"/Messages.json" || e.Status != 201 || !e.Authorized ||
		!strings.Contains(e.RequestBody, "Body=x") || e.ResponseType != "application/json" {
		t.Errorf("exchange %+v", e)
	}
	s.Fail(Any, Fault{Kind: Drop})
	_, _, _ = send(t, s, http.MethodGet, "/Messages.json?PageSize=1", nil)
	if e := <-got; e.Status != 0 || e.Query != "PageSize=1" {
		t.Errorf("dropped exchange %+v", e)
	}
}
