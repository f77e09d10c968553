package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// pipes is a listener whose connections are net.Pipes: time in them is the bubble's.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// memory is a Store that can be made to fail.
type memory struct {
	mu     sync.Mutex
	rows   map[string][]byte
	saves  int
	broken error
}

func (m *memory) Load(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows[name], nil
}

func (m *memory) Save(_ context.Context, name string, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	m.saves++
	m.rows[name] = bytes.Clone(b)
	return nil
}

// world is a mailbox with a server in memory, and what came of it.
type world struct {
	t     *testing.T
	store *memory
	pipes *pipes
	user  *imapmemserver.User
	box   *Box

	mu     sync.Mutex
	mails  []Mail
	seen   []Ref
	refuse error // what Deliver returns

	stop func() error
}

const (
	name     = "alice"
	password = "correct horse"
)

// config is for a server on the other side of a pipe.
func (w *world) config() Config {
	return Config{
		Server: Server{Host: "localhost", Security: Plain}, Login: Login{User: name, Password: password},
		Dial: w.pipes.dial, Cursor: w.store,
		Deliver: func(_ context.Context, m Mail) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.refuse != nil {
				return w.refuse
			}
			w.mails = append(w.mails, m)
			return nil
		},
		Seen: func(_ context.Context, r Ref) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen = append(w.seen, r)
			return nil
		},
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{t: t, store: &memory{rows: map[string][]byte{}}, pipes: newPipes()}
}

// memServer serves a user with an inbox and a sent folder from memory.
func (w *world) memServer(caps ...imap.Cap) {
	w.user = imapmemserver.NewUser(name, password)
	for _, folder := range []string{"INBOX", "Sent", "Junk"} {
		if err := w.user.Create(folder, nil); err != nil {
			w.t.Fatal(err)
		}
	}
	mem := imapmemserver.New()
	mem.AddUser(w.user)
	set := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, c := range caps {
		set[c] = struct{}{}
	}
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps: set, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(w.pipes)
	}()
	w.t.Cleanup(func() {
		server.Close()
		w.pipes.Close()
		<-served
	})
}

// run runs the box until the end of the test, or stop, which returns Run's error.
func (w *world) run(change ...func(*Config)) {
	c := w.config()
	for _, f := range change {
		f(&c)
	}
	w.box = New(c)
	w.again()
}

func (w *world) again() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.box.Run(ctx) }()
	var once sync.Once
	var result error
	w.stop = func() error {
		once.Do(func() {
			cancel()
			result = <-ended
		})
		return result
	}
	w.t.Cleanup(func() { _ = w.stop() })
	synctest.Wait()
}

// literal is a mail as imapmemserver takes it.
type literalText struct {
	*strings.Reader
}

func (l literalText) Size() int64 { return l.Reader.Size() }

func mailText(id, text string) string {
	return fmt.Sprintf("From: bob@example.org\r\nMessage-ID: <%s>\r\nSubject: %s\r\nDate: %s\r\n\r\n%s\r\n", id, text,
		time.Now().Format(time.RFC1123Z), text)
}

// put puts a mail into a folder of the server in memory, once nothing else is going on: that server does not tell of what
// came just before it was asked to tell.
func (w *world) put(folder, id string, flags ...imap.Flag) {
	w.t.Helper()
	synctest.Wait()
	_, err := w.user.Append(folder, literalText{strings.NewReader(mailText(id, "text of "+id))}, &imap.AppendOptions{Flags: flags})
	if err != nil {
		w.t.Fatal(err)
	}
}

// got is the Message-IDs of what was delivered, in order, with the folder if it is not the inbox.
func (w *world) got() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := []string{}
	for _, m := range w.mails {
		id := strings.Trim(m.MessageID, "<>")
		if m.Folder != Inbox {
			id = string(m.Folder) + ":" + id
		}
		ids = append(ids, id)
	}
	return ids
}

func (w *world) want(ids ...string) {
	w.t.Helper()
	if got := w.got(); !slices.Equal(got, append([]string{}, ids...)) {
		w.t.Fatalf("delivered: %q, want %q", got, ids)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error: %v, want %v", err, want)
	}
}
