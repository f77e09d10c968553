// Package wire is IRC as it is written: lines, their tags and their bounds. Parse reads what a server sent, Append
// writes what goes to it, and nothing else in the transport does either. It holds no state of a connection.
package wire
