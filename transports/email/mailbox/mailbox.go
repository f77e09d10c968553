package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"time"
)

// Folder is what a folder is for, whatever it is called.
type Folder string

// The folders that are known. Junk is only moved to; what comes into it is not delivered.
const (
	Inbox Folder = "inbox"
	Sent  Folder = "sent"
	Junk  Folder = "junk"
)

// Security is how a connection is encrypted.
type Security int

// The ways to be secure. Plain is refused unless the server is on this machine.
const (
	TLS      Security = iota // from the first byte; port 993
	StartTLS                 // asked for first thing, and required; port 143
	Plain
)

// Server is where a mailbox is.
type Server struct {
	Host     string
	Port     int // 0: the usual one
	Security Security
}

// Login is who reads the mailbox. Either Password or Token is set.
type Login struct {
	User     string
	Password string
	// Token returns an OAuth 2.0 access token that is good now. It is asked once for each connection.
	Token func(context.Context) (string, error)
}

// Ref names a mail.
type Ref struct {
	Folder    Folder
	Validity  uint32 // UIDVALIDITY of its folder when UID was learnt
	UID       uint32 // 0: not known; else it is looked for by MessageID only if Validity is over
	MessageID string // with its angle brackets; empty: it has none
}

// Mail is one mail as it lies in its folder.
type Mail struct {
	Ref
	Raw       []byte    // the whole mail, or only its header if Truncated; the caller may keep it
	At        time.Time // when the server got it; zero if it does not say
	Size      int64     // bytes of the whole mail, as the server says
	Seen      bool      // it was read already, by another client
	Flagged   bool
	Truncated bool // larger than Config.MaxSize, or the server cannot hand it out: Raw is what could be had, perhaps nothing
}

// Store keeps how far each folder is followed. The bytes are opaque, and at most some 64 KB.
type Store interface {
	// Load returns what was last saved under the name; nil if nothing was.
	Load(ctx context.Context, name string) ([]byte, error)
	// Save is durable when it returns nil.
	Save(ctx context.Context, name string, cursor []byte) error
}

// Import says how much of what was there before is delivered when a mailbox is first opened. The zero value: nothing.
// What both bound must be within both.
type Import struct {
	Messages int // the newest so many of the inbox; 0: no bound of this kind
	Days     int // what came in the last so many days; 0: no bound of this kind
}

// Config is what a mailbox needs. Server, Login, Cursor and Deliver must be set.
type Config struct {
	Server Server
	Login  Login
	// Dial connects to host:port; nil: net.Dialer. It is where a caller keeps people from reaching its own network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	TLS  *tls.Config // nil: the system's roots; its ServerName is set here

	Cursor Store
	// Deliver takes a mail; nil: it is safe, and need not be delivered again. Mails of a folder come in the order of
	// their arrival there. An error ends Run, and the mail comes again: it is for a gateway that cannot take any mail
	// at the moment, never for what is in one.
	Deliver func(context.Context, Mail) error
	// Seen is told of mails delivered unread that were read since with another client. May be nil. An error ends Run.
	Seen func(context.Context, Ref) error
	// Own says whether the gateway itself sent the mail of that Message-ID: its copy in the sent folder is no news.
	// What AppendSent was given is known without. May be nil.
	Own func(ctx context.Context, messageID string) bool
	// Ready is called each time that the server has let us in and the inbox is open. May be nil.
	Ready func(context.Context)

	Import    Import
	MaxSize   int64         // bytes of a mail that are fetched at most; 0: 25 MiB
	Poll      time.Duration // between looks at the sent folder, and at the inbox where the server has no IDLE; 0: a minute
	Wait      time.Duration // how long MarkSeen and its like wait for a connection; 0: 30 seconds
	NoSent    bool          // the sent folder is not followed
	SavesSent bool          // the server saves what is submitted to it by itself; Gmail is known to without
	Now       func() time.Time
	Logger    *slog.Logger // ids only; nil: none
}

const (
	defaultMaxSize = 25 << 20
	defaultPoll    = time.Minute
	defaultWait    = 30 * time.Second
)

// What went wrong, for errors.Is.
var (
	// ErrLogin: the server knows the name or does not take the password. Trying again does not help, a new one may.
	ErrLogin = errors.New("the mail server refuses the login")
	// ErrInsecure: the server offers no way to log in that does not show the password to others.
	ErrInsecure = errors.New("the mail server offers no secure login")
	// ErrOffline: there is no connection, and there was none soon enough.
	ErrOffline = errors.New("the mailbox is not connected")
	// ErrNoFolder: the mailbox has no such folder.
	ErrNoFolder = errors.New("the mailbox has no such folder")
	// ErrNotFound: the mail is not, or no longer, in the folder.
	ErrNotFound = errors.New("the mail is not in the mailbox any more")
)

// LoginError is a login that was refused for good. It is an ErrLogin.
type LoginError struct {
	Code string // of RFC 5530, such as AUTHENTICATIONFAILED; empty if there was none
	Text string // what the server said, on one line, without the password
}

// Error says what the server said.
func (e *LoginError) Error() string { return ErrLogin.Error() + ": " + e.Text }

// Unwrap makes it an ErrLogin.
func (e *LoginError) Unwrap() error { return ErrLogin }

// Box is one mailbox. It is safe for concurrent use; Run must not be called twice at once.
type Box struct {
	config Config
	wishes chan *wish

	// What earlier connections taught; Run's.
	unlistable bool // the folders cannot be listed
	unlisted   int  // times in a row that listing mails broke a connection
	trouble    trouble
}

// New makes a mailbox. It touches no network.
func New(c Config) *Box {
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.MaxSize <= 0 {
		c.MaxSize = defaultMaxSize
	}
	if c.Poll <= 0 {
		c.Poll = defaultPoll
	}
	if c.Wait <= 0 {
		c.Wait = defaultWait
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Box{config: c, wishes: make(chan *wish)}
}

// Run lives one connection's life: it logs in, delivers what is new, and goes on doing so until the connection or ctx
// ends. It always returns an error, ctx's cause if that is why. After ErrLogin and ErrInsecure it should not be called
// again before something has changed, after any other it should, with a growing delay.
func (b *Box) Run(ctx context.Context) error {
	c, err := b.connect(ctx)
	if err == nil {
		defer c.close()
		stop := context.AfterFunc(ctx, func() { _ = c.wire.end(context.Cause(ctx)) })
		defer stop()
		err = (&session{box: b, conn: c}).run(ctx)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
