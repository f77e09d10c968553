//go:build !linux

package irc

import "syscall"

// freebind has no meaning here: the address must be an interface's.
func freebind(syscall.RawConn) error { return nil }
