package chat

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

const (
	maxFiles = 20
	maxURL   = 8 << 10
	maxName  = 255
)

// content is what a message says, and the files that came with it.
func content(st *stream.Stanza, p *parts) (string, []core.Attachment, error) {
	text := p.body.Text()
	if !p.files {
		return text, nil, nil
	}
	files, err := filesOf(st)
	if err != nil {
		return "", nil, err
	}
	if p.fallback {
		for _, ns := range []string{nsFiles, nsOOB} {
			text = stripFallback(st, text, ns)
		}
	}
	if len(files) == 0 && strings.TrimSpace(text) == "" {
		text = st.Child(nsOOB, "x").ChildText(nsOOB, "url") // an address of another kind is all that there is
	}
	return withoutURLs(text, files), files, nil
}

// filesOf returns the files of a message: those with a description (XEP-0447)
// and those that are no more than an address (XEP-0066), each once.
func filesOf(st *stream.Stanza) ([]core.Attachment, error) {
	var files []core.Attachment
	add := func(f core.Attachment) {
		if !slices.ContainsFunc(files, func(have core.Attachment) bool { return have.URL == f.URL }) {
			files = append(files, f)
		}
	}
	for c := range st.Children() {
		if !c.Is(nsFiles, "file-sharing") {
			continue
		}
		f, ok := shared(c)
		if !ok {
			return nil, core.E(core.Unsupported, "chat: file",
				"This file can be fetched by XMPP clients only. Send it by upload to your server.")
		}
		add(f)
	}
	for c := range st.Children() {
		if c.Is(nsOOB, "x") {
			if at, ok := webAddress(c.ChildText("", "url")); ok {
				add(core.Attachment{URL: at, Name: nameIn(at)})
			}
		}
	}
	if len(files) > maxFiles {
		return nil, core.E(core.TooLarge, "chat: file", "A message carries at most "+strconv.Itoa(maxFiles)+" files.")
	}
	return files, nil
}

// shared reads a <file-sharing/>. It is none for us if no source is on the web.
func shared(el *stream.Element) (core.Attachment, bool) {
	about := el.Child(nsFile, "file")
	f := core.Attachment{
		Name: bounded(about.ChildText("", "name"), maxName), Type: bounded(about.ChildText("", "media-type"), maxName),
	}
	f.Name = path.Base("/" + strings.ReplaceAll(f.Name, `\`, "/"))
	if size, err := strconv.ParseInt(about.ChildText("", "size"), 10, 64); err == nil && size > 0 {
		f.Size = size
	}
	for source := range el.Child("", "sources").Children() {
		at, ok := "", false
		if source.Is(nsURL, "url-data") {
			at, ok = webAddress(source.Attr("target"))
		}
		if ok {
			f.URL = at
			if f.Name == "/" {
				f.Name = nameIn(at)
			}
			return f, true
		}
	}
	return core.Attachment{}, false
}

// webAddress returns an address that can be fetched, without what stands around it.
func webAddress(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) > maxURL {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	return strings.Clone(s), true
}

// nameIn is the file name that an address ends with; empty if it has none.
func nameIn(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	name := path.Base(u.Path)
	if name == "." || name == "/" {
		return ""
	}
	return bounded(name, maxName)
}

// withoutURLs returns what a text says beyond the addresses of its files: clients
// put those there for others that know no files.
func withoutURLs(text string, files []core.Attachment) string {
	if len(files) == 0 {
		return text
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !slices.ContainsFunc(files, func(f core.Attachment) bool { return f.URL == line }) {
			return text
		}
	}
	return ""
}

// withAddress returns the files that can be fetched. A transport names the others
// in the text.
func withAddress(files []core.Attachment) []core.Attachment {
	if !slices.ContainsFunc(files, func(f core.Attachment) bool { return f.URL == "" || len(f.URL) > maxURL }) {
		return files
	}
	return slices.DeleteFunc(slices.Clone(files), func(f core.Attachment) bool { return f.URL == "" || len(f.URL) > maxURL })
}

// file writes a file: its address as the body and once more beside it (XEP-0066),
// where clients look for it, and what is known of it (XEP-0447).
func (p page) file(f core.Attachment) {
	p.enc.Leaf("body", "", f.URL)
	p.enc.Start("x", nsOOB)
	p.enc.Leaf("url", "", f.URL)
	p.enc.End()
	p.enc.Start("file-sharing", nsFiles, "disposition", "inline")
	p.enc.Start("file", nsFile)
	if f.Type != "" {
		p.enc.Leaf("media-type", "", bounded(f.Type, maxName))
	}
	if name := f.Name; name != "" {
		p.enc.Leaf("name", "", bounded(name, maxName))
	}
	if f.Size > 0 {
		p.enc.Leaf("size", "", strconv.FormatInt(f.Size, 10))
	}
	p.enc.End()
	p.enc.Start("sources", "")
	p.enc.Empty("url-data", nsURL, "target", f.URL)
	p.enc.End()
	p.enc.End()
	p.fallback(nsFiles, 0, 0)
}
