package twilio

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
)

// page is the frame of a list answer.
type page struct {
	End      int     `json:"end"`
	First    string  `json:"first_page_uri"`
	Next     *string `json:"next_page_uri"`
	Page     int     `json:"page"`
	PageSize int     `json:"page_size"`
	Previous *string `json:"previous_page_uri"`
	Start    int     `json:"start"`
	URI      string  `json:"uri"`
}

func (s *Server) list(c *call) answer {
	query := c.URL.Query()
	want, err := parseFilter(query)
	if err != nil {
		return refusal(20001, err.Error()).answer()
	}
	paging, err := parsePaging(s.accountPath()+"/Messages.json", query)
	if err != nil {
		return refusal(20001, err.Error()).answer()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := s.now().Add(-s.cfg.ListingDelay)
	var found []*record
	var sids []string
	for _, r := range slices.Backward(s.order) { // newest first
		if !r.Deleted && !r.Created.After(newest) && want.matches(&r.Message) {
			found = append(found, r)
			sids = append(sids, r.SID)
		}
	}
	p, from, to, err := paging.cut(sids)
	if err != nil {
		return refusal(20001, err.Error()).answer()
	}
	body := struct {
		page
		Messages []*messageJSON `json:"messages"`
	}{page: p, Messages: []*messageJSON{}}
	for _, r := range found[from:to] {
		body.Messages = append(body.Messages, s.resource(&r.Message))
	}
	return jsonAnswer(http.StatusOK, body)
}

// filter is the query of a message listing.
type filter struct {
	to, from      string
	after, before time.Time // of DateSent, both included; zero: no limit
	dated         bool      // a message that was not sent yet matches no date
}

func (f *filter) matches(m *Message) bool {
	switch {
	case f.to != "" && f.to != m.To, f.from != "" && f.from != m.From:
		return false
	case !f.dated:
		return true
	case m.Sent.IsZero():
		return false
	}
	sent := m.Sent.Truncate(time.Second) // dates are shown in seconds
	return (f.after.IsZero() || !sent.Before(f.after)) && (f.before.IsZero() || !sent.After(f.before))
}

// parseFilter reads To, From and DateSent. "DateSent>=2026-11-24" is the parameter "DateSent>" and includes its day.
func parseFilter(query url.Values) (filter, error) {
	f := filter{to: query.Get("To"), from: query.Get("From")}
	for _, bound := range []string{"DateSent", "DateSent>", "DateSent<"} {
		raw := query.Get(bound)
		if raw == "" {
			continue
		}
		first, last, err := period(raw)
		if err != nil {
			return filter{}, fmt.Errorf("%s: %w", bound, err)
		}
		f.dated = true
		if bound != "DateSent<" {
			f.after = first
		}
		if bound != "DateSent>" {
			f.before = last
		}
	}
	return f, nil
}

// period returns the first and the last second of a date, which may be a day or an instant.
func period(raw string) (first, last time.Time, err error) {
	if day, err := time.Parse(time.DateOnly, raw); err == nil {
		return day, day.Add(24*time.Hour - time.Second), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", time.RFC1123Z} {
		if t, err := time.Parse(layout, raw); err == nil {
			t = t.UTC().Truncate(time.Second)
			return t, t, nil
		}
	}
	return time.Time{}, time.Time{}, fmt.Errorf("%q is not a date", raw)
}

// paging is the part of a list query that chooses the page.
type paging struct {
	path   string
	query  url.Values
	size   int
	number int
	token  string // "PA" or "PB" and a SID; may be empty
}

func parsePaging(path string, query url.Values) (paging, error) {
	g := paging{path: path, query: query, size: defaultPageSize, token: query.Get("PageToken")}
	if raw := query.Get("PageSize"); raw != "" {
		size, err := strconv.Atoi(raw)
		if err != nil || size < 1 {
			return paging{}, fmt.Errorf("PageSize %q", raw)
		}
		g.size = min(size, maxPageSize)
	}
	if raw := query.Get("Page"); raw != "" {
		number, err := strconv.Atoi(raw)
		if err != nil || number < 0 || number > 1<<20 {
			return paging{}, fmt.Errorf("page %q", raw)
		}
		g.number = number
	}
	return g, nil
}

// first returns the index of the page's first item. A token names the last item of the page before ("PA") or the first
// of the page after ("PB"), so that items which arrive between two requests shift nothing.
func (g *paging) first(sids []string) (int, error) {
	if g.token == "" {
		return min(g.number*g.size, len(sids)), nil
	}
	if len(g.token) < 3 {
		return 0, fmt.Errorf("PageToken %q", g.token)
	}
	at := slices.Index(sids, g.token[2:])
	switch {
	case at < 0:
		return 0, fmt.Errorf("PageToken %q", g.token)
	case strings.HasPrefix(g.token, "PB"):
		return max(0, at-g.size), nil
	default:
		return at + 1, nil
	}
}

// cut returns the frame of the page and which of the items are on it.
func (g *paging) cut(sids []string) (p page, from, to int, err error) {
	from, err = g.first(sids)
	if err != nil {
		return page{}, 0, 0, err
	}
	to = min(from+g.size, len(sids))
	start := g.number * g.size
	p = page{
		Page: g.number, PageSize: g.size,
		Start: start, End: start + max(0, to-from-1),
		First: g.link(0, ""), URI: g.link(g.number, g.token),
	}
	if to < len(sids) {
		next := g.link(g.number+1, "PA"+sids[to-1])
		p.Next = &next
	}
	if g.number > 0 && from > 0 && from < len(sids) {
		previous := g.link(g.number-1, "PB"+sids[from])
		p.Previous = &previous
	}
	return p, from, to, nil
}

func (g *paging) link(number int, token string) string {
	q := maps.Clone(g.query)
	q.Del("PageToken")
	q.Set("PageSize", strconv.Itoa(g.size))
	q.Set("Page", strconv.Itoa(number))
	if token != "" {
		q.Set("PageToken", token)
	}
	return g.path + "?" + q.Encode()
}
