package media

import (
	"mime"
	"net/http"
	"path"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestFileName(t *testing.T) {
	long := strings.Repeat("ä", 100)
	for _, c := range []struct{ name, kind, want string }{
		{"cat.jpg", "image/jpeg", "cat.jpg"},
		{"CAT.JPEG", "image/jpeg", "CAT.JPEG"},
		{"cat", "image/jpeg", "cat.jpg"},
		{"cat.png", "image/jpeg", "cat.png.jpg"},
		{"report.pdf.exe", "application/pdf", "report.pdf.exe.pdf"},
		{"setup.exe", "application/octet-stream", "setup.exe"},
		{"paper.docx", "application/zip", "paper.docx"},
		{"main.go", "text/plain", "main.go"},
		{"README", "text/plain", "README.txt"},
		{"", "image/png", "file.png"},
		{"", anyType, "file"},
		{"..", anyType, "file"},
		{"/etc/passwd", anyType, "passwd"},
		{`C:\Users\x\a.txt`, "text/plain", "a.txt"},
		{"../../x", anyType, "x"},
		{".htaccess", "text/plain", "htaccess.txt"},
		{"a\x00b\r\nc\td", anyType, "ab c d"},
		{"gpj\u202egnp.exe", "image/png", "gpjgnp.exe.png"},
		{"\u2066a\u200b\ufeff\u00ad.txt", "text/plain", "a.txt"},
		{"a<b>:\"|?*.txt", "text/plain", "a_b______.txt"},
		{"bad\xff\xfe.txt", "text/plain", "bad_.txt"},
		{"\ue000\ufffe.txt", "text/plain", "__.txt"},
		{"  spaced   out . ", anyType, "spaced out"},
		{long + ".jpg", "image/jpeg", strings.Repeat("ä", 58) + ".jpg"},
		{"x." + strings.Repeat("y", 300), anyType, "x." + strings.Repeat("y", 118)},
	} {
		if got := fileName(c.name, c.kind); got != c.want {
			t.Errorf("%q as %s: %q, want %q", c.name, c.kind, got, c.want)
		}
	}
}

func TestFileType(t *testing.T) {
	jpeg, gif := "\xff\xd8\xff\xe0", "GIF89a"
	mp4 := "\x00\x00\x00\x18ftypisom\x00\x00\x00\x00"
	heic := "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"
	for _, c := range []struct{ claimed, name, head, want string }{
		{"", "", jpeg, "image/jpeg"},
		{"image/jpeg", "x.jpg", jpeg, "image/jpeg"},
		{"IMAGE/JPG; name=x", "", jpeg, "image/jpeg"},
		{"image/png", "x.png", jpeg, "image/jpeg"},
		{"image/png", "x.png", "<!DOCTYPE html><script>", anyType},
		{"image/png", "x.png", "hello", anyType},
		{"image/png", "x.png", "%PDF-1.7", anyType},
		{"application/octet-stream", "x.pdf", "%PDF-1.7", "application/pdf"},
		{"application/octet-stream", "x.docx", "PK\x03\x04", "application/zip"},
		{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "x.docx", "PK\x03\x04",
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"application/pdf", "", gif, "image/gif"},
		{"text/plain; charset=utf-8", "", "hello", "text/plain"},
		{"text/html", "", "<html>", "text/html"},
		{"text/plain", "", "<html>", "text/plain"},
		{"image/svg+xml", "x.svg", "<svg onload='x'>", "image/svg+xml"},
		{"video/mp4", "", mp4, "video/mp4"},
		{"audio/mp4", "", mp4, "audio/mp4"},
		{"", "", heic, "image/heic"},
		{"image/heif", "", heic, "image/heic"},
		{"image/jpeg", "", heic, "image/heic"},
		{"audio/ogg", "", "OggS\x00\x02", "audio/ogg"},
		{"video/webm", "", "\x1a\x45\xdf\xa3", "video/webm"},
		{"audio/amr", "x.amr", "#!AMR\n\x0c\x00\x01", "audio/amr"},
		{"", "x.vcf", "BEGIN:VCARD", "text/vcard"},
		{"", "", "\x00\x01\x02", anyType},
		{"nonsense", "", "\x00\x01\x02", anyType},
		{"a/b/c", "", "\x00\x01\x02", anyType},
		{"multipart/mixed; boundary=x", "", "\x00\x01\x02", anyType},
		{strings.Repeat("x", 200) + "/y", "", "\x00\x01\x02", anyType},
		{"", "", "", "text/plain"},
	} {
		if got := fileType(c.claimed, c.name, []byte(c.head)); got != c.want {
			t.Errorf("%q, %q, %q: %s, want %s", c.claimed, c.name, c.head, got, c.want)
		}
	}
}

// Whatever a file is called and said to be, it gets a name and headers that are harmless.
func FuzzNameAndHeaders(f *testing.F) {
	f.Add("cat.jpg", "image/jpeg", []byte("\xff\xd8\xff"))
	f.Add("../\u202e\x00\r\nSet-Cookie: x", "text/html; charset=\"\r\n", []byte("<html>"))
	f.Add(strings.Repeat("\u00e4\u0301", 300)+".tar.gz", "", []byte(nil))
	f.Add("CON", "image/svg+xml", []byte("<svg/>"))
	f.Fuzz(func(t *testing.T, name, claimed string, head []byte) {
		kind := fileType(claimed, name, head[:min(len(head), headLen)])
		got := fileName(name, kind)
		switch {
		case !utf8.ValidString(got), got == "", len(got) > maxName+16, strings.ContainsAny(got, "/\\\x00\r\n"), got != path.Base(got),
			strings.ContainsFunc(got, unicode.IsControl), strings.HasPrefix(got, "."):
			t.Errorf("%q becomes %q", name, got)
		}
		for _, c := range got {
			if unicode.Is(unicode.Bidi_Control, c) {
				t.Errorf("%q becomes %q, which turns around", name, got)
			}
		}
		if again := fileName(got, kind); again != got {
			t.Errorf("%q becomes %q, and that %q", name, got, again)
		}
		h := http.Header{}
		r := row{digest: strings.Repeat("a", 64)}
		r.Name, r.Type = got, kind
		protect(h, r)
		disposition, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
		if err != nil || params["filename"] != got {
			t.Errorf("%q: disposition %q, %v", got, h.Get("Content-Disposition"), err)
		}
		if disposition != "attachment" && !inline(kind) {
			t.Errorf("%s is shown in place", kind)
		}
		for key, values := range h {
			for _, v := range values {
				if strings.ContainsAny(v, "\r\n\x00") {
					t.Errorf("%s: %q", key, v)
				}
			}
		}
	})
}
