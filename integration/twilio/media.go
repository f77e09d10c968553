package twilio

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Media is a file of an inbound message.
type Media struct {
	Type string // MIME type
	Data []byte
}

type mediaRecord struct {
	Media
	sid, message, key string // key: the secret part of its content URL
	created           time.Time
}

type mediaJSON struct {
	AccountSID  string  `json:"account_sid"`
	ContentType string  `json:"content_type"`
	DateCreated *string `json:"date_created"`
	DateUpdated *string `json:"date_updated"`
	ParentSID   string  `json:"parent_sid"`
	SID         string  `json:"sid"`
	URI         string  `json:"uri"`
}

// addMedia needs mu.
func (s *Server) addMedia(message string, m Media) string {
	r := &mediaRecord{Media: m, sid: newSID("ME"), message: message, key: newSID(""), created: s.now()}
	s.media[r.sid] = r
	return r.sid
}

func (s *Server) mediaResource(m *mediaRecord) mediaJSON {
	return mediaJSON{
		AccountSID: s.cfg.AccountSID, ContentType: m.Type, ParentSID: m.message, SID: m.sid,
		DateCreated: date(m.created), DateUpdated: date(m.created),
		URI: s.accountPath() + "/Messages/" + m.message + "/Media/" + m.sid + ".json",
	}
}

// lookupMedia needs mu.
func (s *Server) lookupMedia(c *call) *mediaRecord {
	m := s.media[c.mediaSID()]
	if m == nil || m.message != c.sid() {
		return nil
	}
	return m
}

func (s *Server) listMedia(c *call) answer {
	query := c.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.lookup(c.sid())
	if r == nil {
		return c.notFound()
	}
	sids := slices.DeleteFunc(slices.Clone(r.Media), func(sid string) bool { return s.media[sid] == nil })
	paging, err := parsePaging(s.accountPath()+"/Messages/"+r.SID+"/Media.json", query)
	if err != nil {
		return refusal(20001, err.Error()).answer()
	}
	p, from, to, err := paging.cut(sids)
	if err != nil {
		return refusal(20001, err.Error()).answer()
	}
	body := struct {
		page
		MediaList []mediaJSON `json:"media_list"`
	}{page: p, MediaList: []mediaJSON{}}
	for _, sid := range sids[from:to] {
		body.MediaList = append(body.MediaList, s.mediaResource(s.media[sid]))
	}
	return jsonAnswer(http.StatusOK, body)
}

func (s *Server) fetchMedia(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.lookupMedia(c)
	if m == nil {
		return c.notFound()
	}
	return jsonAnswer(http.StatusOK, s.mediaResource(m))
}

// content answers a media URL without .json: a redirect to the content host, as the real API does, or the bytes.
func (s *Server) content(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.lookupMedia(c)
	switch {
	case m == nil:
		return c.notFound()
	case s.cfg.DirectMedia:
		return answer{status: http.StatusOK, contentType: m.Type, body: m.Data}
	default:
		location := s.url + "/cdn/" + s.cfg.AccountSID + "/" + m.key
		return answer{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {location}}}
	}
}

// serveContent is the content host: its URLs are their own permission. Request.Authorized shows a client that sent the
// account's credentials along.
func (s *Server) serveContent(w http.ResponseWriter, r *http.Request) {
	c := &call{op: ContentOp, Request: r}
	s.mu.Lock()
	var found *mediaRecord
	for _, m := range s.media {
		if m.key == r.PathValue("key") && r.PathValue("account") == s.cfg.AccountSID {
			found = m
		}
	}
	s.mu.Unlock()
	if found == nil {
		s.write(w, c, answer{status: http.StatusForbidden, contentType: "application/xml", body: []byte("<Error><Code>AccessDenied</Code></Error>")})
		return
	}
	s.write(w, c, answer{status: http.StatusOK, contentType: found.Type, body: found.Data})
}

func (s *Server) removeMedia(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.lookupMedia(c)
	if m == nil {
		return c.notFound()
	}
	delete(s.media, m.sid)
	s.notify()
	return answer{status: http.StatusNoContent}
}

// huge answers with more bytes than a client should take, one block at a time.
func huge(w http.ResponseWriter, contentType string, size int64) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.WriteHeader(http.StatusOK)
	block := make([]byte, 64<<10)
	for size > 0 {
		n := min(size, int64(len(block)))
		if _, err := w.Write(block[:n]); err != nil {
			return // the client has had enough
		}
		size -= n
	}
}
