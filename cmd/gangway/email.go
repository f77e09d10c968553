package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gangway/core"
	"gangway/transports/email"
)

func emailCommand(load loader) *cobra.Command {
	cmd := group("email", "Look at mail as the gateway does")
	cmd.AddCommand(renderCommand(), dnsCommand(load), dkimCommand(load))
	return cmd
}

const (
	maxMail     = 50 << 20 // bytes of one file that are read
	renderGC    = 30       // percent: memory matters more than time here
	renderStdin = "-"
)

func renderCommand() *cobra.Command {
	var o email.RenderOptions
	c := &cobra.Command{
		Use: "render FILE|DIRECTORY|-...", Short: "Print what an XMPP user would see of a raw message",
		Long: "Print, as JSON, one object a line, what an XMPP user would see of each raw message (RFC 5322): text, attachments,\n" +
			"thread, what is thought of it, and what was odd about it. Nothing is sent, fetched or kept, and no configuration is read.\n\n" +
			"A broken message is no failure: \"repaired\" lists what was wrong with it. The exit code is 1 only if a file cannot be\n" +
			"read; the others are. Of a directory all files are read, of an mbox all its messages; \"-\" is the standard input.",
		Example: "  gangway email render mail.eml | jq -r .text\n  gangway email render ~/Maildir/cur",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Now = time.Now()
			defer debug.SetGCPercent(debug.SetGCPercent(renderGC))
			r := &renderRun{
				out: cmd.OutOrStdout(), log: cmd.ErrOrStderr(), in: cmd.InOrStdin(), options: o,
				progress: newProgress(cmd.ErrOrStderr()),
			}
			r.progress.unit = "messages"
			return r.all(cmd, args)
		},
	}
	c.Flags().StringVar(&o.Domain, "domain", "", "the gateway's mail `domain`, to tell its own loops")
	c.Flags().StringVar(&o.AuthServID, "authserv-id", "", "the mail server (`name`) whose Authentication-Results are believed, as authserv_id has it")
	return c
}

// renderRun renders files one after another, in one buffer.
type renderRun struct {
	out, log io.Writer
	in       io.Reader
	options  email.RenderOptions
	progress *progress
	raw      []byte
	bad      int // files that cannot be read
}

// renderedFile is a line of the output.
type renderedFile struct {
	File   string `json:"file"`
	Number int    `json:"number,omitempty"` // in an mbox of several, from 1
	*email.Rendered
}

func (r *renderRun) all(cmd *cobra.Command, args []string) error {
	paths := r.expand(args)
	if len(paths) > 1 && r.progress.bar {
		r.progress.begin(int64(len(paths)))
	}
	for _, path := range paths {
		if err := cmd.Context().Err(); err != nil {
			r.progress.end()
			return err
		}
		if err := r.render(path); err != nil {
			r.progress.end()
			return err
		}
		r.progress.add(1)
	}
	r.progress.end()
	if r.bad > 0 {
		return failed{fmt.Errorf("%d files could not be read", r.bad)}
	}
	return nil
}

// expand lists the files of directories.
func (r *renderRun) expand(args []string) []string {
	var paths []string
	for _, arg := range args {
		if info, err := os.Stat(arg); arg == renderStdin || err != nil || !info.IsDir() {
			paths = append(paths, arg)
			continue
		}
		err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				r.unreadable(path, err)
			case d.Type().IsRegular():
				paths = append(paths, path)
			}
			return nil
		})
		if err != nil {
			r.unreadable(arg, err)
		}
	}
	return paths
}

func (r *renderRun) unreadable(path string, err error) {
	r.bad++
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	r.progress.say(r.log, "gangway: %s: %v", oneLine(path), err)
}

// render prints the messages of a file. An error is one of writing.
func (r *renderRun) render(path string) error {
	whole, err := r.read(path)
	if err != nil {
		r.unreadable(path, err)
		return nil
	}
	messages := splitMbox(r.raw)
	for i, raw := range messages {
		got := renderedFile{File: path, Rendered: email.RenderWith(raw, r.options)}
		if len(messages) > 1 {
			got.Number = i + 1
		}
		if !whole && i == len(messages)-1 {
			got.Repaired = append(got.Repaired, fmt.Sprintf("only the first %d MB are read", maxMail>>20))
		}
		if err := r.print(got); err != nil {
			return err
		}
	}
	return nil
}

func (r *renderRun) print(got renderedFile) error {
	var line strings.Builder
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(got); err != nil {
		return core.Wrap(core.Internal, "render", err)
	}
	r.progress.clear()
	_, err := io.WriteString(r.out, line.String())
	return err
}

// read fills raw; whole is false if there was more than is read.
func (r *renderRun) read(path string) (whole bool, err error) {
	in := r.in
	if path != renderStdin {
		f, err := os.Open(path)
		if err != nil {
			return false, err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			r.room(min(info.Size(), maxMail) + 1)
		}
		in = f
	}
	r.raw = r.raw[:0]
	for len(r.raw) <= maxMail {
		if len(r.raw) == cap(r.raw) {
			r.room(2 * int64(cap(r.raw)))
		}
		n, err := in.Read(r.raw[len(r.raw):cap(r.raw)])
		r.raw = r.raw[:len(r.raw)+n]
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	r.raw = r.raw[:maxMail]
	return false, nil
}

// room makes place for n bytes, and keeps what is there.
func (r *renderRun) room(n int64) {
	n = max(n, 64<<10)
	if n <= int64(cap(r.raw)) {
		return
	}
	r.raw = append(make([]byte, 0, n), r.raw...)
}
