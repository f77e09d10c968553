// Package discover finds the servers of a mail address: where its mailbox is read (IMAP) and where its mail is submitted
// (SMTP).
//
// What is known of the largest providers is in a table (providers.go). Of other domains it is asked, in this order of
// trust: the domain's own autoconfiguration file (autoconfig.go), its SRV records (RFC 6186, RFC 8314), a database of
// providers, if one is configured, the provider to whose MX its mail goes, and at last the names that servers usually
// have. Nothing is tried here: whoever asks logs in, and keeps what takes the login.
//
// Everything is a stranger's: answers are bounded in size and time, files come over HTTPS only, and guard.go keeps
// connections away from what only the gateway can reach.
package discover
