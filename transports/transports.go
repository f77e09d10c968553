// Package transports is the list of networks that the program knows.
package transports

import (
	"gangway/core"
	"gangway/transports/email"
	"gangway/transports/irc"
	"gangway/transports/loopback"
	"gangway/transports/sms"
)

// All returns every driver. A further transport is one new folder and one line here.
func All() []core.Driver {
	return []core.Driver{
		email.Driver(),
		sms.Driver(),
		irc.Driver(),
		loopback.Driver(),
	}
}

// Named returns the driver with a name.
func Named(name string) (core.Driver, bool) {
	for _, d := range All() {
		if d.Name == name {
			return d, true
		}
	}
	return core.Driver{}, false
}
