// Package mx takes mail straight to the servers of its recipients' domains.
//
// route.go finds those servers in the DNS (RFC 5321 section 5.1, RFC 7505), carrier.go tries one after another,
// hosts.go remembers which of them are away. How a domain wants to be reached, as by MTA-STS, a Policies says.
package mx
