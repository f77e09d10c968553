// Package servers starts the real servers that Gangway is tested and shown with: Prosody, ejabberd, ngIRCd, InspIRCd,
// ircd-hybrid, Atheme, ZNC, Postfix, Dovecot, Exim, Postgrey, OpenDKIM and OpenDMARC, as Debian 12 packages them (packages.sh
// beside this folder installs them). The name server that a test gives to those who look up mail domains is within the
// process: see StartDNS.
//
// Every server is a child process with free loopback ports, a directory of its own for configuration, data and logs,
// and the unix user that its package made for it, so the caller must be root. NewX writes the configuration and starts
// nothing; Start returns when the server answers its own protocol; Stop asks politely and Kill does not. After either,
// Start works again with the same ports and data. A server never outlives the process that started it. An IRC server
// may run at a Site of its own, whose line can be cut.
//
// The directory of each server, and every directory above it, must be traversable (o+x) by other users. Directories
// are kept by the caller; nothing here removes them.
package servers

import "context"

// Server is what every server of this package can do. Its methods may be called from several goroutines.
type Server interface {
	// Name is the server's name in errors and logs.
	Name() string
	// Start starts the server and returns nil when it is ready. When it returns an error, nothing is left running
	// and the error ends with the last lines of the server's log.
	Start(ctx context.Context) error
	// Stop asks the server to end, kills whatever is left of it after StopTimeout, and returns when all its processes
	// are gone. Stopping a server that does not run does nothing.
	Stop() error
	// Kill is SIGKILL to all the server's processes at once; it returns when they are gone.
	Kill() error
	// Done is closed when the server, as last started, has ended by whatever cause. It is nil before the first Start.
	Done() <-chan struct{}
	// Logs names the files the server writes about itself.
	Logs() []string
}
