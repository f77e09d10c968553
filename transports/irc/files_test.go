package irc

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

func TestLinks(t *testing.T) {
	for text, want := range map[string][]string{
		"look at https://a.test/cat.PNG!":                      {"https://a.test/cat.PNG"},
		"(https://a.test/x.jpg?w=1#a), <http://b.test/y.webp>": {"https://a.test/x.jpg?w=1#a", "http://b.test/y.webp"},
		"https://a.test/x.jpg https://a.test/x.jpg":            {"https://a.test/x.jpg"},
		"https://a.test/1.png https://a.test/2.png https://a.test/3.png https://a.test/4.png": {
			"https://a.test/1.png", "https://a.test/2.png", "https://a.test/3.png"},
		"https://paste.debian.net/1234/":            {"https://paste.debian.net/plain/1234"},
		"https://paste.debian.net/plain/1234":       {"https://paste.debian.net/plain/1234"},
		"https://pastebin.com/AbCd1234":             {"https://pastebin.com/raw/AbCd1234"},
		"https://www.pastebin.com/AbCd1234?x=y":     {"https://www.pastebin.com/raw/AbCd1234"},
		"https://dpaste.com/ABC":                    {"https://dpaste.com/ABC.txt"},
		"https://dpaste.org/ABC":                    {"https://dpaste.org/ABC/raw"},
		"https://termbin.com/abcd":                  {"https://termbin.com/abcd"},
		"https://pastebin.com/ https://a.test/page": nil,
		"https://u:p@a.test/x.png ftp://a.test/x.png https:///x.png https://paste.rs/../x": nil,
		"cat.png https://": nil,
	} {
		if got := linksIn(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A link stays a link; where the user wants it the file comes after it, from whoever linked to it.
func TestLinkedFiles(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.host.Files.Offer(core.Attachment{URL: "https://a.test/cat.png", Name: "cat.png", Type: "image/png"}, []byte("cat"))
		p.host.Files.Offer(core.Attachment{URL: "https://a.test/evil.png", Name: "evil.png", Type: "text/html"}, []byte("<script>"))
		p.host.Files.Offer(core.Attachment{URL: "https://a.test/big.png", Name: "big.png", Type: "image/png"}, make([]byte, 2<<20))
		p.host.Files.Offer(core.Attachment{URL: "https://pastebin.com/raw/abc", Name: "abc.txt", Type: "text/plain"}, []byte("a\nb"))
		p.send(":bob!b@h PRIVMSG #chan :https://a.test/cat.png")
		if m := next[*core.Message](p); len(m.Attachments) != 0 {
			t.Errorf("a link comes as %+v", m)
		}
		p.noEvent()
		p.host.Choose(core.Preferences{Own: map[string]string{"files #chan%irc.test": filesUpload, "files bob%irc.test": filesUpload}})
		time.Sleep(choicesFor)
		p.send(":bob!b@h PRIVMSG #chan :https://a.test/cat.png https://a.test/evil.png https://a.test/big.png",
			":bob!b@h PRIVMSG #chan :https://a.test/gone.png", ":bob!b@h PRIVMSG alice :https://pastebin.com/abc",
			":carol!c@h PRIVMSG alice :https://pastebin.com/abc")
		synctest.Wait()
		var links, files []string
		for _, e := range p.host.Events()[p.seen:] {
			m, ok := e.(*core.Message)
			if !ok {
				t.Fatalf("got %T", e)
			}
			if p.seen++; len(m.Attachments) == 0 {
				links = append(links, string(m.Peer)+" "+string(m.Author)+" "+m.Text)
				continue
			}
			f := m.Attachments[0]
			files = append(files, string(m.Peer)+" "+string(m.Author)+" "+f.Name+" "+f.Type)
			if !strings.HasPrefix(f.URL, "https://files.test/") || m.Text != "" || m.Past || m.Mine {
				t.Errorf("the file comes as %+v", m)
			}
		}
		if len(links) != 4 || !slices.Equal(files, []string{"#chan bob cat.png image/png", "bob  abc.txt text/plain"}) {
			t.Errorf("links %q, files %q", links, files)
		}
		p.send(":bob!b@h PRIVMSG #chan :again https://a.test/cat.png") // as lately
		if m := next[*core.Message](p); m.Text == "" {
			t.Errorf("got %+v", m)
		}
		p.noEvent()
	})
}

// However much is linked to, only a little is fetched.
func TestLinkedFilesAreFew(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.host.Choose(core.Preferences{Own: map[string]string{"files": filesUpload}})
		time.Sleep(choicesFor)
		for i := range 40 {
			url := "https://a.test/" + strings.Repeat("x", i+1) + ".png"
			p.host.Files.Offer(core.Attachment{URL: url, Name: "x.png", Type: "image/png"}, []byte("x"))
			p.send(":bob!b@h PRIVMSG #chan :" + url)
		}
		synctest.Wait()
		files := 0
		for _, e := range p.host.Events()[p.seen:] {
			if m, ok := e.(*core.Message); ok && len(m.Attachments) > 0 {
				files++
			}
		}
		if files != 5 {
			t.Errorf("%d files were fetched at once", files)
		}
	})
}
