// Package mailbox follows a person's own mailbox over IMAP: it tells what comes into it and what is sent from it, and
// does there what the gateway is asked to (a mail was read, was sent, is junk).
//
// Nothing is lost: the place reached in each folder is saved after the mails up to it were delivered, never before; a
// crash between the two delivers again. Nothing is trusted: the server may be anybody's, so wire.go bounds every line,
// literal, answer and silence before go-imap sees a byte (RFC 9051, RFC 2177, RFC 6154, RFC 7162).
//
// mailbox.go is what a caller needs; login.go and tls.go open a connection, folders.go finds the folders, sync.go,
// fetch.go and renumber.go follow one, idle.go waits, and act.go does what is asked.
//
// Goroutines: Run is the one that owns the connection; go-imap has another that reads. Callers of MarkSeen, AppendSent
// and MoveToJunk hand their wish to Run and wait.
package mailbox
