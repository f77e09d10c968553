package irc

import (
	"context"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"gangway/core"
)

const (
	maxLinks    = 3                // of one message that are fetched
	maxFetches  = 20               // that wait, of a session
	maxFetched  = 10 << 20         // bytes of a file
	fetchWithin = 60 * time.Second // for one file, there and back
)

// pictures are the endings of what is fetched wherever it is: files that clients show or play.
var pictures = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".mp3", ".ogg", ".opus", ".flac", ".mp4", ".webm", ".pdf", ".txt", ".log"}

// pasteHosts are where people of IRC put long texts, each with the way from a page to its text: what stands before the name,
// and what behind it.
var pasteHosts = map[string][2]string{
	"paste.debian.net": {"/plain", ""}, "pastebin.com": {"/raw", ""}, "bpa.st": {"/raw", ""}, "bpaste.net": {"/raw", ""}, "dpaste.com": {"", ".txt"},
	"dpaste.org": {"", "/raw"}, "paste.rs": {}, "ix.io": {}, "termbin.com": {}, "sprunge.us": {}, "0x0.st": {}, "p.ip.fi": {}, "paste.c-net.org": {},
}

// linked is a file that somebody has linked to, on its way.
type linked struct {
	says core.Message // the message that it will be
	url  string       // where its content is
}

// linksIn are the files that a text links to, by where their content is.
func linksIn(text string) (all []string) {
	for word := range strings.FieldsSeq(text) {
		word = strings.Trim(word, "<>()[]{},;!\"'*_")
		if !strings.HasPrefix(word, "https://") && !strings.HasPrefix(word, "http://") {
			continue
		}
		u, err := url.Parse(word)
		if err != nil || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
			continue
		}
		if content := contentOf(u); content != "" && !slices.Contains(all, content) {
			all = append(all, content)
		}
		if len(all) == maxLinks {
			break
		}
	}
	return all
}

// contentOf is where the content of a file is; empty if an address is none of a file.
func contentOf(u *url.URL) string {
	if slices.Contains(pictures, strings.ToLower(path.Ext(u.Path))) {
		return u.String()
	}
	way, known := pasteHosts[strings.ToLower(strings.TrimPrefix(u.Hostname(), "www."))]
	name := strings.Trim(u.Path, "/")
	if !known || name == "" || strings.Contains(name, "..") {
		return ""
	}
	raw := *u
	raw.RawPath, raw.RawQuery, raw.Fragment = "", "", ""
	if raw.Path = "/" + name; way[0] != "" && !strings.HasPrefix(raw.Path, way[0]+"/") {
		raw.Path = way[0] + raw.Path
	}
	if !strings.HasSuffix(raw.Path, way[1]) {
		raw.Path += way[1]
	}
	return raw.String()
}

// attach has what somebody links to come as a file, too, where the user wants that. What was said is shown already.
func (s *session) attach(m *core.Message) {
	if m.Mine || m.Past || s.chosen.of(filesChoice, m.Peer) != filesUpload {
		return
	}
	for _, content := range linksIn(m.Text) {
		now := time.Now()
		if len(s.fetches) >= maxFetches || slices.Contains(s.fetched, content) || s.pace.wait(now) > 0 {
			continue
		}
		s.pace.spend(now)
		if s.fetched = append(s.fetched, content); len(s.fetched) > maxFetches {
			s.fetched = s.fetched[1:]
		}
		s.fetches = append(s.fetches, linked{core.Message{Ref: m.Ref, Room: m.Room, Author: m.Author, Person: m.Person}, content})
	}
	if len(s.fetches) == 0 || s.fetcher != nil {
		return
	}
	ended := make(chan struct{})
	s.fetcher = ended
	s.chore(func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.giveUp = cancel
		go func() {
			defer close(ended)
			defer cancel()
			s.fetchAll(ctx)
		}()
		return nil
	})
}

// fetchAll fetches what there is to fetch, one after the other.
func (s *session) fetchAll(ctx context.Context) {
	for {
		s.mu.Lock()
		if len(s.fetches) == 0 || ctx.Err() != nil {
			s.fetcher, s.fetches = nil, nil
			s.mu.Unlock()
			return
		}
		one := s.fetches[0]
		s.fetches = s.fetches[1:]
		s.mu.Unlock()
		file, err := s.fetch(ctx, one.url)
		if err != nil {
			s.t.log.Debug("file not fetched", "account", s.account.ID, "err", err)
			continue // the link is there
		}
		s.mu.Lock()
		one.says.At, one.says.Attachments = time.Now(), []core.Attachment{file}
		s.emit(&one.says)
		s.mu.Unlock()
		s.flush(ctx)
	}
}

// fetch brings a file to where the user's clients can fetch it.
func (s *session) fetch(ctx context.Context, content string) (core.Attachment, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	blob, err := s.t.host.Blobs().Get(ctx, core.Attachment{URL: content}, maxFetched)
	if err != nil {
		return core.Attachment{}, err
	}
	defer blob.Body.Close()
	major, _, _ := strings.Cut(blob.Type, "/")
	switch {
	case strings.HasPrefix(blob.Type, "text/html"):
		return core.Attachment{}, core.E(core.Unsupported, "irc: fetch", "That is a page.")
	case major != "image" && major != "audio" && major != "video" && major != "text" && blob.Type != "application/pdf":
		return core.Attachment{}, core.E(core.Unsupported, "irc: fetch", "That is no file which clients show.")
	}
	file, err := s.t.host.Blobs().Put(ctx, s.account, core.Attachment{Name: blob.Name, Type: blob.Type}, blob.Body)
	if err == nil && file.URL == "" {
		err = core.E(core.Unavailable, "irc: fetch", "There is no place for the file.")
	}
	return file, err
}

// stopFetching ends what is being fetched: the links are there.
func (s *session) stopFetching() {
	s.mu.Lock()
	ended, giveUp := s.fetcher, s.giveUp
	s.mu.Unlock()
	if ended == nil {
		return
	}
	if giveUp != nil {
		giveUp()
	}
	<-ended
}
