package mime

import (
	"strings"
	"testing"
)

func TestHTMLText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"text", "a  b\n c", "a b c"},
		{"paragraphs", "<p>a</p><p>b</p>", "a\n\nb"},
		{"breaks", "a<br>b<br/>c", "a\nb\nc"},
		{"inline", "a<b>b</b> <i>c</i>d", "ab cd"},
		{"divs", "<div>a</div><div>b</div>c", "a\nb\nc"},
		{"heading", "<h1>Title</h1>text", "*Title*\n\ntext"},
		{"link", `see <a href="https://x.y/z">here</a>.`, "see here <https://x.y/z>."},
		{"link that is its text", `<a href="https://x.y/">x.y</a>`, "x.y"},
		{"link to nowhere", `<a href="javascript:alert(1)">x</a> <a href="#a">y</a>`, "x y"},
		{"unordered", "<ul><li>a</li><li>b<ul><li>c</ul></ul>d", "- a\n- b\n  - c\n\nd"},
		{"ordered", "<ol start=3><li>a<li>b</ol>", "3. a\n4. b"},
		{"quote", "a<blockquote>b<blockquote>c</blockquote></blockquote>d", "a\n\n> b\n>\n> > c\n\nd"},
		{"table", "<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>", "a | b\nc | d"},
		{"layout table", "<table><tr><td><table><tr><td>a</td></tr></table></td></tr></table>", "a"},
		{"pre", "<pre>a  b\n c</pre>", "a  b\n c"},
		{"dropped", "<head><title>t</title><style>s{}</style></head><script>x()</script>a", "a"},
		{"hidden", `<div style="display: none">h</div><span hidden>h</span>a<p style="VISIBILITY:hidden">h</p>c`, "ac"},
		{"hidden paragraph without an end", `<p hidden>h<div>a</div>`, "a"},
		{"all hidden", `<div style="display:none">only</div>`, "only"},
		{"image", `<img alt="Logo" src="x"><img alt="t" width=1 height=1>`, "[Logo]"},
		{"image without a word", `<p>a</p><img src="cid:x"><img src="x" alt=""><img src="https://x/1.gif" width=1><img>`, "a\n\n[image]"},
		{"entities", "&lt;a&gt; &amp;amp; &eacute;&nbsp;x", "<a> &amp; é x"},
		{"comment", "a<!-- x -->b", "ab"},
		{"rule", "a<hr>b", "a\n---\nb"},
		{"unclosed", "<p>a<b>b<div>c", "ab\nc"},
		{"word junk", "<o:p>a</o:p><![if x]>b<![endif]>", "ab"},
		{"controls", "a\x00\x01b&#27;c\u202ed", "abc\ufffdd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := HTMLText(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHTMLBombs(t *testing.T) {
	for _, in := range []string{
		strings.Repeat("<blockquote>", 10_000) + "x",
		strings.Repeat("<ul><li>", 10_000) + "x",
		strings.Repeat("<div>", 100_000) + "x",
		strings.Repeat("<a href=https://x/>y", 50_000),
		"<p " + strings.Repeat("a=b ", 100_000) + ">x",
		strings.Repeat("x", 1<<20),
		strings.Repeat("<h1>x</h1>", 50_000),
	} {
		if got := HTMLText(in); len(got) > 3*maxHTMLOut || !strings.Contains(got, "x") {
			t.Errorf("%.20s: %d bytes", in, len(got))
		}
	}
}
