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
		{"empty line of Gmail", "<div>a</div><div><br></div><div>b</div>", "a\n\nb"},
		{"several empty lines", "a<br><br><br>b<br><br>", "a\n\nb"},
		{"break at the end of a block", "<div>a<br></div><div>b</div>", "a\nb"},
		{"empty line in a quote", "<blockquote><div>a</div><div><br></div>b</blockquote>", "> a\n>\n> b"},
		{"break before an item's text", "<ul><li>a</li><li><br>b</li></ul>", "- a\n- b"},
		{"empty line in preformatted text", "<pre>a\n\nb\n</pre>", "a\n\nb"},
		{"preformatted with empty lines at its ends", "x<pre>\n\na\n\n</pre>y", "x\n\n```\na\n```\n\ny"},
		{"inline", "a<b>b</b> <i>c</i>d", "ab cd"},
		{"strong", "a <b>b</b>, <strong>c d</strong>.", "a *b*, *c d*."},
		{"emphasis", "<i>a</i> <em>b</em> <del>c</del> <code>d_e</code>", "_a b_ ~c~ `d_e`"},
		{"both", "<b>a <i>b</i></b>", "*a* *_b_*"},
		{"style over lines", "<b>a<br>b</b>c", "*a*\nbc"},
		{"style within a word", "un<b>believ</b>able", "unbelievable"},
		{"words with the signs of styles", "<b>2*3</b> <i>snake_case</i>", "2*3 snake_case"},
		{"strong link", `<b><a href="https://x.y/a_b">here</a></b>`, "*here* <https://x.y/a_b>"},
		{"style that is never opened", "a</b></i> b", "a b"},
		{"heading with a strong word", "<h2>A <b>b</b> c</h2>d", "*A b c*\n\nd"},
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
		{"preformatted among text", "<p>See:</p><pre>a\n b</pre><p>ok</p>", "See:\n\n```\na\n b\n```\n\nok"},
		{"preformatted in a quote", "x<blockquote><pre>a</pre></blockquote>", "x\n\n> ```\n> a\n> ```"},
		{"preformatted, not closed", "x<pre>a", "x\n\n```\na\n```"},
		{"dropped", "<head><title>t</title><style>s{}</style></head><script>x()</script>a", "a"},
		{"hidden", `<div style="display: none">h</div><span hidden>h</span>a<p style="VISIBILITY:hidden">h</p>c`, "ac"},
		{"hidden paragraph without an end", `<p hidden>h<div>a</div>`, "a"},
		{"all hidden", `<div style="display:none">only</div>`, "only"},
		{"image", `<img alt="Logo" src="x"><img alt="t" width=1 height=1>`, "[Logo]"},
		{"image without a word", `<p>a</p><img src="cid:x"><img src="x" alt=""><img src="https://x/1.gif" width=1><img>`, "a\n\n[image]"},
		{"entities", "&lt;a&gt; &amp;amp; &eacute;&nbsp;x", "<a> &amp; é x"},
		{"comment", "a<!-- x -->b", "ab"},
		{"rule", "a<hr>b", "a\n---\nb"},
		{"unclosed", "<p>a<b>b<div>c", "ab\n*c*"},
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

// TestHTMLQuotes has what mail programs put around the mail that is answered.
func TestHTMLQuotes(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"Gmail", `<div>Yes.</div><div class="gmail_quote gmail_quote_container"><div class="gmail_attr">On Monday Bob wrote:</div><blockquote class="gmail_quote">Tea?</blockquote></div>`, "Yes."},
		{"Thunderbird", `<p>Yes.</p><div class="moz-cite-prefix">Am Montag schrieb Bob:</div><blockquote type="cite" cite="mid:x">Tea?</blockquote>`, "Yes."},
		{"Outlook", `<p>Yes.</p><div style="border:none; border-top:solid #E1E1E1 1.0pt"><p><b>From:</b> Bob</p></div><p>Tea?</p>`, "Yes."},
		{"Outlook on the web", `<div>Yes.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Bob</div><div>Tea?</div>`, "Yes."},
		{"Apple", `Yes.<br><blockquote type="cite">On Monday:</blockquote><br><blockquote type="cite">Tea?</blockquote><br>`, "Yes."},
		{"Yahoo", `<div>Yes.</div><div class="yahoo_quoted"><div>Bob wrote:</div><div>Tea?</div></div>`, "Yes."},
		{"GMX", `<div>Yes.<div name="quote" style="margin:10px"><div>Gesendet: x</div><div name="quoted-content">Tea?</div></div></div>`, "Yes."},
		{"answers between", `<blockquote type=cite>Tea?</blockquote>Yes.<blockquote type=cite>Coffee?</blockquote>No.`, ""},
		{"answer below", `<div class="gmail_quote">Tea?</div><p>Yes.</p>`, ""},
		{"only a quote", `<blockquote type=cite>Tea?</blockquote>`, ""},
		{"a quote of the writer's", `<p>Read:</p><blockquote>To be</blockquote>`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, at := htmlText(tt.in)
			if got := strings.TrimSpace(text[:at]); got != tt.want {
				t.Errorf("%q of %q, want %q", got, text, tt.want)
			}
		})
	}
}

func TestHTMLBombs(t *testing.T) {
	for _, in := range []string{
		strings.Repeat("<blockquote>", 10_000) + "x",
		strings.Repeat("<ul><li>", 10_000) + "x",
		strings.Repeat("<div>", 20_000) + "x",
		strings.Repeat("<a href=https://x/>y", 10_000),
		"<p " + strings.Repeat("a=b ", 20_000) + ">x",
		strings.Repeat("x", 256<<10),
		strings.Repeat("<h1>x</h1>", 20_000),
	} {
		if got := HTMLText(in); len(got) > 3*maxHTMLOut || !strings.Contains(got, "x") {
			t.Errorf("%.20s: %d bytes", in, len(got))
		}
	}
}
