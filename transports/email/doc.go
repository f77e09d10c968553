// Package email is the transport of e-mail in domain mode: Gangway owns a mail domain, takes mail for it by LMTP or
// SMTP and sends through a relay, or straight to the servers of the recipients' domains.
//
// Inbound: guard.go stands between the network and go-smtp and keeps the promises that library does not; inbound.go
// is the SMTP session; receive.go turns a mail into events, with convert.go (pure) and the reader in mime/. Outbound:
// session.go, compose.go (pure), and a carrier: relay.go or direct.go, which speak through client/. The two meet in thread.go (what answers what), verp.go (envelope senders
// that only we could have made) dsn.go and bounce.go (what became of a mail).
//
// Goroutines: transport.Run owns one per listener, and the one of returned.go; go-smtp owns one per connection, all of which have ended when Run
// returns. A session has none of its own.
package email
