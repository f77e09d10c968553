// Package client speaks SMTP as a client (RFC 5321): with the relay of a site, with the server through which a user
// submits, and with the servers of other domains.
//
// Dial makes one Conn, which carries one mail after another. The dialogue is go-smtp's; guard.go stands between it and
// the network, because go-smtp's client keeps whatever a server says, writes content without a deadline, and starts
// TLS only on connections that nobody has spoken on.
package client
