// Package auth finds out whether a mail comes from the domain that it names as its sender's: by SPF (RFC 7208), DKIM
// (RFC 6376, 8301, 8463) and DMARC (RFC 7489) where we are the first to receive it, else by the Authentication-Results
// (RFC 8601) of the mail server in front of us. What it reads, mail and DNS alike, is an attacker's: everything is
// bounded, and nothing that it reads makes it fail.
package auth
