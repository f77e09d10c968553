// Package ircdtest is a small IRC server for tests and measurements: enough of one to register with, to meet in
// channels and to talk. It speaks RFC 1459 without capabilities, or with those it is told to.
//
// Goroutines: one per connection, which reads and answers; all state is under one mutex, and lines to others are
// written under it, with a deadline.
package ircdtest
