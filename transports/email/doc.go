// Package email is the transport of e-mail in domain mode: Gangway owns a mail domain, takes mail for it by LMTP or
// SMTP and sends through a relay.
//
// Inbound: guard.go stands between the network and go-smtp and keeps the promises that library does not; inbound.go
// is the SMTP session; receive.go turns a mail into events, with convert.go (pure) and the reader in mime/. Outbound:
// session.go, compose.go (pure), relay.go. The two meet in thread.go (what answers what), verp.go (envelope senders
// that only we could have made) and dsn.go (what became of a mail).
//
// Goroutines: transport.Run owns one per listener; go-smtp owns one per connection, all of which have ended when Run
// returns. A session has none of its own.
package email
