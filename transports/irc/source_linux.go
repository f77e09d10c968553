package irc

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// freebind lets a connection come from an address that no interface has, but whose prefix is routed here (ip(7),
// IP_FREEBIND).
func freebind(c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_FREEBIND, 1) //nolint:gosec // a descriptor is small
	})
	if err != nil {
		return err
	}
	return failed
}
