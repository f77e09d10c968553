package hypertext_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"gangway/transports/email/hypertext"
	"gangway/transports/email/mime"
)

func body(text string) string {
	page := hypertext.Page(text, "", "")
	_, page, _ = strings.Cut(page, "<body dir=\"auto\">\n")
	page, _, _ = strings.Cut(page, "</body>")
	return strings.TrimSuffix(page, "\n")
}

func TestPage(t *testing.T) {
	const quote = `<blockquote style="margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex">`
	for text, want := range map[string]string{
		"plain":                            "<div>plain</div>",
		"a\n\nb":                           "<div>a</div>\n<div><br></div>\n<div>b</div>",
		"*a* _b_ ~c~ `d`":                  "<div><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></div>",
		"*a _b_ c*, d":                     "<div><strong>a <em>b</em> c</strong>, d</div>",
		"*_a_*":                            "<div><strong><em>a</em></strong></div>",
		"2 * 3 * 4":                        "<div>2 * 3 * 4</div>",
		"<b> & \"x\"":                      "<div>&lt;b&gt; &amp; &#34;x&#34;</div>",
		"  in  dented":                     "<div>\u00a0 in\u00a0 dented</div>",
		"> one\n>> two\nthree":             quote + "\n<div>one</div>\n" + quote + "\n<div>two</div>\n</blockquote>\n</blockquote>\n<div>three</div>",
		"```go\nif a < b {\n  *x*\n}\n```": "<pre>if a &lt; b {\n  *x*\n}\n</pre>",
		"see https://example.org/a_b_c?x=1&y=2, or (https://example.org/(x)).": `<div>see <a href="https://example.org/a_b_c?x=1&amp;y=2">https://example.org/a_b_c?x=1&amp;y=2</a>, ` +
			`or (<a href="https://example.org/(x)">https://example.org/(x)</a>).</div>`,
		"`https://example.org/`":     "<div><code>https://example.org/</code></div>",
		"*https://example.org/*":     `<div><strong><a href="https://example.org/">https://example.org/</a></strong></div>`,
		"javascript:alert(1) http:/": "<div>javascript:alert(1) http:/</div>",
		`https://x/"onclick="y`:      `<div>https://x/&#34;onclick=&#34;y</div>`,
	} {
		if got := body(text); got != want {
			t.Errorf("%q:\n%s\nwant\n%s", text, got, want)
		}
	}
}

func TestStyled(t *testing.T) {
	for text, want := range map[string]bool{
		"plain": false, "2 * 3": false, "https://example.org/": false, "a\n*b* c": true, "> quoted": true, "```\nx\n```": true, "```": false, "`x`": true,
	} {
		if got := hypertext.Styled(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestQuotation(t *testing.T) {
	page := hypertext.Page("Yes", `de"><script>`, hypertext.Quotation("On Monday, <Bob> wrote:", "Are *you* there?"))
	if strings.Contains(page, "lang") || strings.Contains(page, "<script") {
		t.Error(page)
	}
	if !strings.Contains(page, "On Monday, &lt;Bob&gt; wrote:") || !strings.Contains(page, "<div>Are <strong>you</strong> there?</div>") {
		t.Error(page)
	}
	if page := hypertext.Page("Ja", "de", ""); !strings.Contains(page, `<html lang="de">`) {
		t.Error(page)
	}
}

// What was written is what is read, with its styling. Blank lines are nobody's concern.
func TestReadAgain(t *testing.T) {
	for _, text := range []string{
		"plain", "*strong* and _emphasis_", "a\n\nb", "> quoted\n\nanswer", "```\ncode  here\n  two\n```\nafter", "see https://example.org/x now", "~no~ `x < y`",
	} {
		blank := strings.NewReplacer("\n\n", "\n")
		if got := mime.HTMLText(hypertext.Page(text, "", "")); blank.Replace(got) != blank.Replace(text) {
			t.Errorf("%q was read as %q", text, got)
		}
	}
}

// No text makes an element or an attribute of its own.
func FuzzPage(f *testing.F) {
	for _, s := range []string{"*a* _b_", "> x\n>> y", "```\n</pre><script>\n```", `https://x/"><img src=x>`, "*https://x/_*_", "<!--", "\x00\xff*a*"} {
		f.Add(s)
	}
	known := map[string]bool{
		"html": true, "head": true, "meta": true, "body": true, "div": true, "br": true, "blockquote": true, "pre": true, "strong": true,
		"em": true, "s": true, "code": true, "a": true,
	}
	f.Fuzz(func(t *testing.T, text string) {
		z := html.NewTokenizer(strings.NewReader(hypertext.Page(text, "", hypertext.Quotation(text, text))))
		depth := map[string]int{}
		for {
			switch z.Next() {
			case html.ErrorToken:
				for name, n := range depth {
					if n != 0 && name != "br" && name != "meta" {
						t.Fatalf("%q: %d open <%s>", text, n, name)
					}
				}
				return
			case html.CommentToken:
				t.Fatalf("%q: a comment", text)
			case html.StartTagToken:
				token := z.Token()
				depth[token.Data]++
				for _, a := range token.Attr {
					if !known[token.Data] || a.Key == "href" && !strings.HasPrefix(a.Val, "http") || strings.HasPrefix(a.Key, "on") || a.Key == "src" {
						t.Fatalf("%q: %v", text, token)
					}
				}
				if !known[token.Data] {
					t.Fatalf("%q: %v", text, token)
				}
			case html.EndTagToken:
				depth[z.Token().Data]--
			}
		}
	})
}
