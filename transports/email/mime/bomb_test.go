package mime

import (
	"encoding/base64"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func base64Lines(n int) string {
	s := base64.StdEncoding.EncodeToString(make([]byte, n))
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s + "\r\n"
}

func count(p *Part) (parts, depth int) {
	parts, depth = 1, 1
	for _, c := range p.Parts {
		n, d := count(c)
		parts += n
		depth = max(depth, d+1)
	}
	return parts, depth
}

// spent is what a test has used so far: processor time of its thread, and bytes allocated, whether freed or not.
type spent struct {
	cpu   time.Duration
	bytes uint64
}

func use(t *testing.T) spent {
	t.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &r); err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return spent{time.Duration(r.Utime.Nano() + r.Stime.Nano()), m.TotalAlloc}
}

// What is asserted is structure, memory, and that no time is quadratic: those parsers that are take minutes for the
// same. The bound is far above what it takes, for slow machines and the race detector.
func TestBombs(t *testing.T) {
	var many, headers strings.Builder
	many.WriteString("Content-Type: multipart/mixed; boundary=b\n\n")
	many.WriteString(strings.Repeat("--b\n\n", 100_000))
	headers.WriteString(strings.Repeat("A: b\n", 100_000) + "\nstill read\n")
	l := DefaultLimits()
	for _, tt := range []struct {
		name, raw, text string
	}{
		{"nested", nesting(5000) + "\n\nx", ""},
		{"many parts", many.String(), ""},
		{"many headers", headers.String(), "still read"},
		{"one long header", "A: " + strings.Repeat("x", 1<<20) + "\nSubject: y\n\ntext", "text"},
		{"folded for ever", "A: x\n" + strings.Repeat(" y\n", 200_000) + "\ntext", "text"},
		{"boundaries of the same name", strings.Repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n", 5000), ""},
		{"long delimiter-like lines", "Content-Type: multipart/mixed; boundary=" + strings.Repeat("-", 70) + "\n\n" + strings.Repeat(strings.Repeat("-", 1000)+"\n", 2000), ""},
		{"parameters", "Content-Type: text/plain" + strings.Repeat("; a=b", 50_000) + "\n\ntext", "text"},
		{"unclosed quotes", "From: " + strings.Repeat(`",`, 120_000) + "\n\ntext", "text"},
		{"unclosed comments", "From: " + strings.Repeat("(,", 120_000) + "\n\ntext", "text"},
		{"unfinished words", "From: " + strings.Repeat("=?x?q?_ ", 30_000) + "@x\nSubject: " + strings.Repeat("=?x?q?_ ", 30_000) + "\n\ntext", "text"},
		{"words", "Subject: " + strings.Repeat("=?utf-8?q?x?= ", 18_000) + "\n\ntext", "text"},
		{"words in names", "To: " + strings.Repeat("=?gb18030?b?1tA=?= <a@b>, ", 9_000) + "\n\ntext", "text"},
		{"words in the names of files", "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: a/b; name=\""+strings.Repeat("=?x?q?_ ", 3000)+"\"\n\nx\n", 200), ""},
		{"ids", "References: " + strings.Repeat("<", 200_000) + "\n\ntext", "text"},
		{"continuations", "Content-Type: text/plain" + strings.Repeat("; a*0*=b", 30_000) + "\n\ntext", "text"},
		{"extended", "Content-Type: text/plain; name*=utf-8''" + strings.Repeat("%41", 80_000) + "\n\ntext", "text"},
		{"guessed boundaries", "Content-Type: multipart/mixed\n\n" + strings.Repeat("--x\nContent-Type: multipart/mixed\n\n", 30_000), ""},
		{"lines of hyphens", "Content-Type: multipart/mixed; boundary=x\n\n" + strings.Repeat("--\n", 500_000), ""},
		{"pages", "Content-Type: text/html\n\n" + strings.Repeat("<b><i><table><td>", 15_000) + "x", "*_x_*"},
		{"HTML of one attribute", "Content-Type: text/html\n\n<p a='" + strings.Repeat("x", 512<<10), ""},
		{"HTML comments", "Content-Type: text/html\n\n" + strings.Repeat("<!--", 120_000), ""},
		{"HTML scripts", "Content-Type: text/html\n\n" + strings.Repeat("<script><!--<script>", 25_000), ""},
		{"HTML entities", "Content-Type: text/html\n\n" + strings.Repeat("&CounterClockwiseContourIntegral;", 15_000), ""},
		{"flowed", "Content-Type: text/plain; format=flowed\n\n" + strings.Repeat("x \n", 250_000), ""},
		{"quotes", "\n" + strings.Repeat(">", 512<<10), ""},
		{"base64 of paddings", "Content-Transfer-Encoding: base64\n\n" + strings.Repeat("=\n", 250_000), ""},
		{"UTF-7", "Content-Type: text/plain; charset=utf-7\n\n" + strings.Repeat("+", 256<<10), ""},
		{"alternatives", strings.Repeat("Content-Type: multipart/alternative; boundary=b\n\n--b\n", 30) + strings.Repeat("Content-Type: text/html\n\n<p>"+strings.Repeat("x", 10_000)+"\n--b\n", 170), ""},
		{"uuencode", "\n" + strings.Repeat("begin 644 a\n", 80_000), ""},
		{"uuencode without an end", "\n" + strings.Repeat("begin 644 a\n"+strings.Repeat("M"+strings.Repeat("0", 60)+"\n", 300), 50), ""},
		{"calendars", "Content-Type: text/calendar\n\n" + strings.Repeat("BEGIN:VEVENT\n", 80_000), ""},
		{"attributes", "Content-Type: text/html\n\n<p " + strings.Repeat("a=b ", 250_000) + ">text", "text"},
		{"soft line breaks", "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=\n", 500_000) + "text", "text"},
		{"changing charsets", "Content-Type: text/plain; charset=iso-2022-jp\n\n" + strings.Repeat("\x1b$B\x1b(B", 150_000) + "text", "text"},
		{"comments", "Content-Type: text/plain " + strings.Repeat("(", 100_000) + "\n\ntext", "text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			before := use(t)
			m := Parse([]byte(tt.raw))
			b := m.Body(32 << 10)
			for _, f := range b.Files {
				f.FileName()
			}
			for _, field := range []string{"From", "To"} {
				m.Root.Mailboxes(field)
			}
			m.Root.Text("Subject")
			MessageIDs(m.Root.Header.Get("References"), 10_000)
			used := use(t)
			if cpu, bytes := used.cpu-before.cpu, used.bytes-before.bytes; cpu > 8*time.Second || bytes > 64<<20 {
				t.Errorf("%v of processor, %d KB", cpu, bytes>>10)
			} else {
				t.Logf("%v of processor, %d KB", cpu, bytes>>10)
			}
			parts, depth := count(m.Root)
			if parts > l.Parts || depth > l.Depth+1 || len(m.Root.Header) > l.HeaderLines || len(m.Defects) > maxDefects {
				t.Errorf("%d parts, %d deep, %d fields, %d defects", parts, depth, len(m.Root.Header), len(m.Defects))
			}
			if tt.text != "" && b.Text != tt.text {
				t.Errorf("text %.60q", b.Text)
			}
		})
	}
}

func TestDecodedBudget(t *testing.T) {
	l := DefaultLimits()
	l.Decoded, l.Text = 1000, 600
	raw := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\n"+strings.Repeat("x", 5000)+"\n", 10)
	m := ParseLimits([]byte(raw), l)
	if got := m.Body(1 << 20).Text; len(strings.ReplaceAll(got, "\n", "")) != 1000 || m.decoded != 1000 {
		t.Errorf("%d bytes of text, %d decoded", len(got), m.decoded)
	}
}

func TestAddressBomb(t *testing.T) {
	m := Parse([]byte("From: " + strings.Repeat("a@b,", 60_000) + "\n\n"))
	if got := len(m.Root.Mailboxes("From")); got != 1000 {
		t.Errorf("%d addresses", got)
	}
}
