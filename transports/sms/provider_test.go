package sms

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
)

const (
	testAccount = "AC00000000000000000000000000000001"
	testToken   = "0123456789abcdef0123456789abcdef"
	testNumber  = "+15550100001"
	testPeer    = "+15550199999"
	testHook    = "https://gw.example.test/hooks/sms"
)

// provider is a few lines of the Messages API, for tests that say what goes wrong. The faithful stand-in is used by
// the integration tests.
type provider struct {
	t   testing.TB
	srv *httptest.Server

	mu       sync.Mutex
	made     []map[string]any
	got      chan transporttest.Got
	answer   func(w http.ResponseWriter, n int, made map[string]any) bool // false: the usual answer
	requests int
	handler  http.Handler // the transport's
}

func newProvider(t testing.TB) *provider {
	p := &provider{t: t, got: make(chan transporttest.Got, 1000)}
	p.srv = httptest.NewServer(p)
	t.Cleanup(p.srv.Close)
	return p
}

func (p *provider) settings() core.Decoder {
	return func(into any) error {
		*into.(*settings) = settings{
			Account: testAccount, Token: testToken, APIURL: p.srv.URL, Numbers: []string{testNumber, "+15550100002"},
		}
		return nil
	}
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, pass, _ := r.BasicAuth(); user != testAccount || pass != testToken {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"code":20003,"message":"Authenticate","status":401}`)
		return
	}
	if r.Method == http.MethodGet {
		p.list(w, r)
		return
	}
	if err := r.ParseForm(); err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	p.requests++
	n := p.requests
	made := map[string]any{
		"sid": fmt.Sprintf("SM%032x", n), "account_sid": testAccount, "to": r.PostFormValue("To"),
		"from": r.PostFormValue("From"), "body": r.PostFormValue("Body"), "status": "queued", "direction": "outbound-api",
		"date_created": time.Now().UTC().Format(time.RFC1123Z), "callback": r.PostFormValue("StatusCallback"),
	}
	answer := p.answer
	p.mu.Unlock()
	if answer != nil && answer(w, n, made) {
		return
	}
	p.accept(made)
	w.WriteHeader(http.StatusCreated)
	if err := json.NewEncoder(w).Encode(made); err != nil {
		p.t.Error(err)
	}
}

// accept is what costs money.
func (p *provider) accept(made map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = append(p.made, made)
	p.got <- transporttest.Got{Text: made["body"].(string)}
}

func (p *provider) list(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []map[string]any
	for _, m := range slices.Backward(p.made) {
		if to := r.FormValue("To"); to != "" && to != m["to"] {
			continue
		}
		if from := r.FormValue("From"); from != "" && from != m["from"] {
			continue
		}
		if !within(m, r) {
			continue
		}
		found = append(found, m)
	}
	answer := map[string]any{"page": 0, "page_size": 50}
	size, _ := strconv.Atoi(r.FormValue("PageSize"))
	page, _ := strconv.Atoi(r.FormValue("Page"))
	if size > 0 {
		from := min(page*size, len(found))
		to := min(from+size, len(found))
		if to < len(found) {
			q := r.URL.Query()
			q.Set("Page", strconv.Itoa(page+1))
			answer["next_page_uri"] = r.URL.Path + "?" + q.Encode()
		}
		found = found[from:to]
	}
	answer["messages"] = found
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		p.t.Error(err)
	}
}

// within says whether a message was sent in the span that is asked for, both ends included.
func within(m map[string]any, r *http.Request) bool {
	created, _ := m["date_created"].(string)
	at, err := time.Parse(time.RFC1123Z, created)
	if err != nil {
		return true
	}
	after, errAfter := time.Parse(time.RFC3339, r.FormValue("DateSent>"))
	before, errBefore := time.Parse(time.RFC3339, r.FormValue("DateSent<"))
	return (errAfter != nil || !at.Before(after.Truncate(time.Second))) && (errBefore != nil || !at.After(before))
}

// asked counts the requests to send.
func (p *provider) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

func (p *provider) paid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.made)
}

// Next is the next message that was paid for.
func (p *provider) Next(ctx context.Context) (transporttest.Got, error) {
	select {
	case got := <-p.got:
		return got, nil
	case <-ctx.Done():
		return transporttest.Got{}, ctx.Err()
	}
}

// Say posts a signed inbound message.
func (p *provider) Say(_ context.Context, id, text string) error {
	code, body := p.post("/inbound", inboundForm(id, text), testToken)
	if code != http.StatusOK || !strings.Contains(body, "<Response>") {
		return fmt.Errorf("webhook answers %d %s", code, body)
	}
	return nil
}

func inboundForm(id, text string) url.Values {
	return url.Values{
		"AccountSid": {testAccount}, "MessageSid": {fmt.Sprintf("SM%032x", []byte(id))[:34]}, "From": {testPeer}, "To": {testNumber},
		"Body": {text}, "NumMedia": {"0"},
	}
}

func (p *provider) post(path string, form url.Values, token string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", sign(testHook+path, form, token))
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		p.t.Error(err)
	}
	return w.Code, string(body)
}

func sign(link string, form url.Values, token string) string {
	keys := make([]string, 0, len(form))
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		link += k + form.Get(k)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(link))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

var alice = core.Account{ID: "a1", User: "alice@example.test", Network: "sms", Own: testNumber}

// start makes a transport on a provider and its webhook.
func start(t testing.TB, p *provider) (*transport, *transporttest.Host) {
	t.Helper()
	host := transporttest.NewHost(t, alice)
	host.Webhook = testHook
	tr, err := Driver().New(host, p.settings())
	if err != nil {
		t.Fatal(err)
	}
	p.handler = tr.(*transport)
	t.Cleanup(func() { tr.(*transport).api.close() })
	return tr.(*transport), host
}

func open(t testing.TB, tr *transport) *session {
	t.Helper()
	s, err := tr.Open(alice)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*session)
}

func message(text string) *core.Message {
	return &core.Message{Ref: core.Ref{Account: alice.ID, Peer: testPeer}, IDs: core.IDs{ID: core.NewID()}, Text: text}
}
