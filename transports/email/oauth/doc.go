// Package oauth gets and renews access tokens for mailboxes whose providers want them instead of a password (RFC 6749).
//
// A person allows it by the device authorization grant (RFC 8628): they open a page on any device of theirs and type a
// code there, while the gateway asks now and then whether they have. What comes of it is a refresh token, which the
// caller keeps as the account's secret; access tokens live for an hour or so and are never kept.
//
// The package has no goroutines, and keeps nothing: a Grant is the caller's.
package oauth
