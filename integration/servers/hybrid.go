package servers

import (
	"fmt"
	"os"
)

// The Debian packages of ngIRCd and ircd-hybrid conflict, so packages.sh unpacks the latter below hybridRoot when the
// former is installed.
const hybridRoot = "/usr/local/lib/gangway-test/ircd-hybrid"

// Hybrid is an ircd-hybrid 8.2: the prefixes @%+, some of IRCv3, RFC 1459's casemapping.
type Hybrid struct {
	*Process
	*ircPorts
}

var _ IRCServer = (*Hybrid)(nil)

// hybridAt is where ircd-hybrid is: its root, before /usr.
func hybridAt() string {
	if _, err := os.Stat(hybridRoot + "/usr/sbin/ircd-hybrid"); err == nil {
		return hybridRoot
	}
	return ""
}

// NewHybrid writes the configuration; it starts nothing.
func NewHybrid(conf IRCConfig) (*Hybrid, error) {
	root := hybridAt()
	h, ports, file, err := prepareIRC(conf, "ircd-hybrid.conf")
	if err != nil {
		return nil, fmt.Errorf("ircd-hybrid: %w", err)
	}
	log, err := h.touch("hybrid.log")
	if err != nil {
		return nil, fmt.Errorf("ircd-hybrid: %w", err)
	}
	data := h.path("data")
	p := h.process("ircd-hybrid", root+"/usr/sbin/ircd-hybrid", "-foreground", "-configfile", file, "-logfile", log,
		"-pidfile", data+"/pid", "-klinefile", data+"/kline.conf", "-dlinefile", data+"/dline.conf",
		"-xlinefile", data+"/xline.conf", "-resvfile", data+"/resv.conf")
	p.logs, p.site = []string{log}, conf.Site
	p.ready = ports.answers
	return &Hybrid{p, ports}, nil
}
