package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/jhillyerd/enmime/v2"

	"gangway/transports/email"
)

// renderer reads a mail as far as a person would see it, and returns how much text there is.
type renderer func(raw []byte) (int, error)

func readers() map[string]renderer {
	now := time.Now()
	return map[string]renderer{
		"gangway": func(raw []byte) (int, error) { return len(email.Render(raw, "", now).Text), nil },
		"enmime": func(raw []byte) (int, error) {
			e, err := enmime.ReadEnvelope(bytes.NewReader(raw))
			if err != nil {
				return 0, err
			}
			return len(e.Text), nil
		},
	}
}

// sampleMail is a kind of mail that is measured.
type sampleMail struct {
	name string
	raw  []byte
}

// renderLoad measures the reading of mail beside enmime, and what bombs cost each.
func renderLoad(args []string, out io.Writer) error {
	var one string
	var each, patience time.Duration
	fs := flag.NewFlagSet("render", flag.ContinueOnError)
	fs.DurationVar(&each, "each", time.Second, "how long each kind of mail is read")
	fs.DurationVar(&patience, "patience", 10*time.Second, "how long a bomb may take before it is given up")
	fs.StringVar(&one, "one", "", "only read the file with this reader, and print what it cost")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if one != "" {
		return renderOne(one, fs.Arg(0), out)
	}
	if err := renderSpeed(each, out); err != nil {
		return err
	}
	return renderBombs(patience, out)
}

func renderSpeed(each time.Duration, out io.Writer) error {
	fmt.Fprint(out, "render: mail read as a person sees it, MB/s of raw mail by processor time (and mails a second)\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "mail\tKB\tgangway\t\tenmime\t\tfactor\t")
	for _, m := range sampleMails() {
		ours, err := renderRate(readers()["gangway"], m.raw, each)
		if err != nil {
			return err
		}
		theirs, err := renderRate(readers()["enmime"], m.raw, each)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		mb := float64(len(m.raw)) / 1e6
		fmt.Fprintf(w, "%s\t%d\t%.1f\t(%.0f)\t%.1f\t(%.0f)\t%.1f\t\n", m.name, len(m.raw)>>10, ours*mb, ours, theirs*mb, theirs, ours/theirs)
	}
	return w.Flush()
}

// renderRate is how many mails are read in a second of processor time.
func renderRate(read renderer, raw []byte, each time.Duration) (float64, error) {
	n, start := 0, processorTime()
	for used := time.Duration(0); used < each; used = processorTime() - start {
		if _, err := read(raw); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / (processorTime() - start).Seconds(), nil
}

func processorTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // cannot fail for oneself
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// sampleMails are what mailboxes hold.
func sampleMails() []sampleMail {
	head := "From: Bob <bob@example.com>\r\nTo: alice@gw.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@example.com>\r\n" +
		"Date: Mon, 02 Nov 2026 03:04:05 +0000\r\n" + strings.Repeat("Received: from a.example by b.example; Mon, 02 Nov 2026 03:04:05 +0000\r\n", 6) + "MIME-Version: 1.0\r\n"
	text := strings.Repeat("The quick brown fox jumps over the lazy dog, and so on.\r\n", 60)
	page := "<html><body><table>" + strings.Repeat(`<tr><td style="padding:3px"><p>The <b>quick</b> <a href="https://example.com/a">brown</a> fox</p></td></tr>`+"\r\n", 400) + "</table></body></html>"
	return []sampleMail{
		{"text", []byte(head + "\r\n" + text)},
		{"text, quoted-printable", []byte(head + "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
			strings.Repeat("F=FCr die Gr=FC=DFe =\r\nvielen Dank.\r\n", 150))},
		{"text and HTML", []byte(head + "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n" + text +
			"\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page + "\r\n--b--\r\n")},
		{"HTML", []byte(head + "Content-Type: text/html; charset=utf-8\r\n\r\n" + page)},
		{"a file of 1 MB", []byte(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + text +
			"\r\n--b\r\nContent-Type: image/jpeg; name=a.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64Text(1<<20) + "\r\n--b--\r\n")},
	}
}

func base64Text(n int) string {
	s := base64.StdEncoding.EncodeToString(make([]byte, n))
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s
}

// renderOne reads one file in a process of its own.
func renderOne(name, path string, out io.Writer) error {
	read, ok := readers()[name]
	if !ok {
		return fmt.Errorf("there is no reader %q", name)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	start := processorTime()
	_, err = read(raw)
	took := processorTime() - start
	peak, perr := peakMemory()
	if perr != nil {
		return perr
	}
	what := ""
	if err != nil {
		what = "refused, "
	}
	fmt.Fprintf(out, "%s%d ms, %d MB", what, took.Milliseconds(), peak>>10)
	return nil
}

// peakMemory is the most memory this process has had, in KiB. Rusage would tell its parent's.
func peakMemory() (int, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return strconv.Atoi(kib)
}

// renderBombs has each reader read each bomb in a process of its own.
func renderBombs(patience time.Duration, out io.Writer) error {
	dir, err := os.MkdirTemp("", "bombs")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Fprint(out, "\nbombs: processor time to read one, and the most memory of a process that does nothing else (its start included)\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "bomb\tKB\tgangway\tenmime\t")
	for _, m := range append([]sampleMail{{"(an ordinary mail)", sampleMails()[0].raw}}, bombs()...) {
		path := filepath.Join(dir, "bomb.eml")
		if err := os.WriteFile(path, m.raw, 0o600); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%d\t", m.name, len(m.raw)>>10)
		for _, name := range []string{"gangway", "enmime"} {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			cmd := exec.CommandContext(ctx, self, "render", "-one", name, path) //nolint:gosec // ourselves
			got, err := cmd.CombinedOutput()
			switch {
			case errors.Is(ctx.Err(), context.DeadlineExceeded):
				got = fmt.Appendf(nil, "over %v", patience)
			case err != nil:
				got = []byte("failed")
			}
			cancel()
			fmt.Fprintf(w, "%s\t", got)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// bombs are mails that are made to be expensive.
func bombs() []sampleMail {
	var nested strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	page := "Content-Type: text/html\n\n"
	return []sampleMail{
		{"20,000 multiparts within one another", []byte(nested.String() + "\n\nx")},
		{"20,000 messages within one another", []byte(strings.Repeat("Content-Type: message/rfc822\n\n", 20_000) + "\nx")},
		{"200,000 parts", []byte("Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 200_000))},
		{"1,000,000 fields", []byte(strings.Repeat("A: b\n", 1_000_000) + "\nx")},
		{"a field of 10 MB", []byte("A: " + strings.Repeat("x", 10<<20) + "\n\nx")},
		{"20,000 encoded words", []byte("Subject: " + strings.Repeat("=?utf-8?q?x?=\n ", 20_000) + "\n\nx")},
		{"30,000 unfinished words", []byte("Subject: " + strings.Repeat("=?x?q?_ ", 30_000) + "\n\nx")},
		{"100,000 addresses", []byte("To: " + strings.Repeat("a@b,", 100_000) + "\n\nx")},
		{"100,000 parameters", []byte("Content-Type: text/plain" + strings.Repeat("; a=b", 100_000) + "\n\nx")},
		{"2 MB of open elements", []byte(page + strings.Repeat("<div><table><td>", 125_000) + "x")},
		{"2 MB of quotes in HTML", []byte(page + strings.Repeat("<blockquote>", 170_000) + "x")},
		{"50,000 continued parameters", []byte("Content-Type: text/plain" + strings.Repeat("; a*0*=b; a*1=c", 25_000) + "\n\nx")},
		{"200,000 comments", []byte("From: " + strings.Repeat("(", 200_000) + "a@b\n\nx")},
		{"2 MB of changing charsets", []byte("Content-Type: text/plain; charset=iso-2022-jp\n\n" + strings.Repeat("\x1b$B\x1b(B", 350_000) + "x")},
		{"4 MB of soft line breaks", []byte("Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=\n", 2<<20) + "x")},
		{"100,000 beginnings of uuencode", []byte("\n" + strings.Repeat("begin 644 a\n", 100_000) + "x")},
		{"100,000 calendars within one another", []byte("Content-Type: text/calendar\n\n" + strings.Repeat("BEGIN:VEVENT\n", 100_000) + "x")},
		{"2 MB of attributes", []byte(page + "<p " + strings.Repeat("a=b ", 500_000) + ">x")},
		{"24 MB of text", []byte("\n" + strings.Repeat(strings.Repeat("words ", 12)+"\n", 24<<20/73))},
		{"24 MB of base64", []byte("Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + base64Text(17<<20))},
	}
}
