package upload

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/stream"
)

const (
	keepFound = 30 * time.Minute // a service that was found
	keepNone  = time.Minute      // that there was none, or no answer
	findTime  = 15 * time.Second // for all questions of one search
	maxItems  = 100              // of the host server that are asked
	askAtOnce = 8
)

// found is the result of a search.
type found struct {
	jid   string
	most  int64 // bytes of one file; 0: it does not say
	err   error
	until time.Time
}

// service returns the upload service, looking for it if need be.
func (s *Service) service(ctx context.Context, l link) (found, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Before(s.found.until) {
		return s.found, s.found.err
	}
	f := s.search(ctx, l)
	if ctx.Err() != nil {
		return f, core.Wrap(core.Unavailable, "upload: find", ctx.Err()) // says nothing about the server
	}
	keep := keepNone
	if f.err == nil {
		keep = keepFound
	}
	f.until = s.now().Add(keep)
	s.found = f
	return f, f.err
}

// forget has the next one look again.
func (s *Service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = found{}
}

// search asks the host server for its items, and each of them what it is. The
// first in the server's order counts.
func (s *Service) search(ctx context.Context, l link) found {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	items, err := s.items(ctx, l)
	if err != nil {
		return found{err: core.Wrap(core.Unavailable, "upload: find", err)}
	}
	answers := make([]found, len(items))
	var all sync.WaitGroup
	slots := make(chan struct{}, askAtOnce)
	for i, jid := range items {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			answers[i] = about(ctx, l, jid)
		})
	}
	all.Wait()
	for _, f := range answers {
		if f.jid != "" {
			return f
		}
	}
	return found{err: none()}
}

// items are the addresses to ask: the host server's own, and those of its items
// that are not ours.
func (s *Service) items(ctx context.Context, l link) ([]string, error) {
	st, err := l.IQ(ctx, s.cfg.Host, "get", func(enc *stream.Encoder) { enc.Empty("query", disco.NSItems) })
	if err != nil {
		return nil, err
	}
	defer st.Release()
	all := []string{s.cfg.Host}
	for it := range st.Child(disco.NSItems, "query").Children() {
		jid := it.Attr("jid")
		if it.Local() != "item" || jid == "" || it.Attr("node") != "" || s.ours(jid) || len(all) > maxItems {
			continue
		}
		all = append(all, clone(jid))
	}
	return all, nil
}

func (s *Service) ours(jid string) bool {
	for _, l := range s.links {
		if strings.EqualFold(l.Domain(), jid) {
			return true
		}
	}
	return false
}

// about asks an address what it is; the zero value if it takes no uploads, or
// does not answer.
func about(ctx context.Context, l link, jid string) found {
	st, err := l.IQ(ctx, jid, "get", func(enc *stream.Encoder) { enc.Empty("query", disco.NSInfo) })
	if err != nil {
		return found{}
	}
	defer st.Release()
	f := found{}
	for el := range st.Child(disco.NSInfo, "query").Children() {
		switch {
		case el.Local() == "feature" && el.Attr("var") == NS:
			f.jid = jid
		case el.Is("jabber:x:data", "x") && value(el, "FORM_TYPE") == NS:
			if n, err := strconv.ParseInt(value(el, "max-file-size"), 10, 64); err == nil && n > 0 {
				f.most = n
			}
		}
	}
	return f
}

// value is a field's first value.
func value(form *stream.Element, name string) string {
	for field := range form.Children() {
		if field.Is("jabber:x:data", "field") && field.Attr("var") == name {
			return strings.TrimSpace(field.ChildText("jabber:x:data", "value"))
		}
	}
	return ""
}

// clone copies text out of a stanza, which is used again.
func clone(s string) string { return strings.Clone(s) }
