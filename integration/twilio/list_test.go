package twilio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// clock is a Config.Now that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestListFilters(t *testing.T) {
	c := &clock{t: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	s := start(t, Config{Now: c.now})
	s.Script(Match{Body: "stays"}, Stay())
	create(t, s, text("a"))
	idle(t, s)
	c.add(24 * time.Hour)
	create(t, s, text("b", "From", ours2))
	idle(t, s)
	c.add(time.Hour)
	create(t, s, text("stays"))
	if _, err := s.Receive(t.Context(), Incoming{From: peer, To: ours, Body: "in", Lost: true}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ query, want string }{
		{"", "in stays b a"},
		{"From=%2B15550100001", "stays a"},
		{"To=%2B15550100001", "in"},
		{"To=%2B15550199001&From=%2B15550100002", "b"},
		{"DateSent=2026-11-24", "a"},
		{"DateSent%3E=2026-11-25", "in b"},
		{"DateSent%3E=2026-11-25T12:00:00Z", "in b"},
		{"DateSent%3E=2026-11-25T12:00:01Z", "in"},
		{"DateSent%3E=2026-11-25T14:00:00%2B02:00", "in b"},
		{"DateSent%3C=2026-11-24", "a"},
		{"DateSent%3C=2026-11-25T12:00:00Z", "b a"},
		{"DateSent%3E=2026-11-25&DateSent%3C=2026-11-25T12:00:00Z", "b"},
		{"DateSent=2026-11-26", ""},
		{"To=%2B15550199999", ""},
	} {
		if got := strings.Join(bodies(t, s, "/Messages.json?"+tt.query), " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.query, got, tt.want)
		}
	}
	for _, query := range []string{"DateSent=yesterday", "PageSize=0", "PageSize=x", "Page=-1", "PageToken=PASM0", "PageToken=x"} {
		resp, body := request(t, s, http.MethodGet, "/Messages.json?"+query, nil)
		checkError(t, resp, body, 400, 20001)
	}
}

func idle(t *testing.T, s *Server) {
	t.Helper()
	if err := s.WaitIdle(patience(t)); err != nil {
		t.Fatal(err)
	}
}

type listing struct {
	Messages []struct{ Body string }
	Next     *string `json:"next_page_uri"`
	Previous *string `json:"previous_page_uri"`
	Start    int
	End      int
	Page     int
}

func getList(t *testing.T, s *Server, path string) listing {
	t.Helper()
	resp, body := request(t, s, http.MethodGet, path, nil)
	var l listing
	if err := json.Unmarshal(body, &l); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: %d %s", path, resp.StatusCode, body)
	}
	return l
}

func bodies(t *testing.T, s *Server, path string) []string {
	var all []string
	for _, m := range getList(t, s, path).Messages {
		all = append(all, m.Body)
	}
	return all
}

func TestPaging(t *testing.T) {
	s := start(t, Config{})
	for i := range 7 {
		create(t, s, text(fmt.Sprintf("m%d", i)))
	}
	var seen []string
	path, last := "/Messages.json?PageSize=3&To=%2B15550199001", listing{}
	for n := 0; path != ""; n++ {
		last = getList(t, s, path)
		for _, m := range last.Messages {
			seen = append(seen, m.Body)
		}
		if last.Page != n || last.Start != 3*n {
			t.Errorf("page %d: page %d start %d", n, last.Page, last.Start)
		}
		create(t, s, text("arrives between two pages"))
		path = ""
		if last.Next != nil {
			path = strings.TrimPrefix(*last.Next, s.accountPath())
		}
	}
	if got := strings.Join(seen, " "); got != "m6 m5 m4 m3 m2 m1 m0" {
		t.Errorf("paged through %s", got)
	}
	back := strings.TrimPrefix(*last.Previous, s.accountPath())
	if got := strings.Join(bodies(t, s, back), " "); got != "m3 m2 m1" {
		t.Errorf("page before the last: %s", got)
	}

	// twilio-go follows next_page_uri by itself.
	all, err := sdk(t, s).ListMessage((&api.ListMessageParams{}).SetPageSize(2))
	if err != nil || len(all) != len(s.Messages()) {
		t.Errorf("twilio-go listed %d of %d: %v", len(all), len(s.Messages()), err)
	}
}

func TestListingDelay(t *testing.T) {
	c := &clock{t: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	s := start(t, Config{Now: c.now, ListingDelay: 30 * time.Second})
	create(t, s, text("a"))
	if got := bodies(t, s, "/Messages.json"); len(got) != 0 {
		t.Errorf("listed at once: %v", got)
	}
	c.add(30 * time.Second)
	if got := bodies(t, s, "/Messages.json"); len(got) != 1 {
		t.Errorf("not listed after the delay: %v", got)
	}
}
