// Package mtasts finds out how domains want mail to be brought to them (MTA-STS, RFC 8461).
//
// record.go and policy.go read what domains publish, strictly. fetch.go gets it, by HTTPS only. Cache (cache.go) keeps
// it for as long as the domain has said, also when it cannot be had any more: that is the point of it.
package mtasts
